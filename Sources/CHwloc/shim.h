#ifndef MUSTER_CHWLOC_SHIM_H
#define MUSTER_CHWLOC_SHIM_H
#include <hwloc.h>

// Swift sees hwloc's unions and inline functions badly or not at all; these are what Machine needs of them.

/// Size in bytes of a NUMA node's own memory or of a cache; 0 if unknown, and for objects of other types.
static inline unsigned long muster_hwloc_size(hwloc_obj_t object) {
    if (!object->attr) return 0;
    if (object->type == HWLOC_OBJ_NUMANODE) return object->attr->numanode.local_memory;
    return hwloc_obj_type_is_cache(object->type) ? object->attr->cache.size : 0;
}

/// The object of `type` that holds `object`, NULL if there is none.
static inline hwloc_obj_t muster_hwloc_ancestor(hwloc_obj_t object, hwloc_obj_type_t type) {
    return hwloc_get_ancestor_obj_by_type(NULL, type, object);
}

#endif
