#ifndef C_PLATFORM_H
#define C_PLATFORM_H

#include "affinity.h"
#include "bodies.h"
#include "events.h"
#include "futex.h"
#include "lifetime.h"
#include "memory.h"
#include "messages.h"
#include "spawn.h"
#include "streams.h"
#include "throws.h"

#endif
