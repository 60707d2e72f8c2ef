// One import is all that a program needs.
@_exported public import struct Agent.LaunchError
@_exported public import struct Agent.WorkerStartError
@_exported public import ClusterManagers
@_exported public import ClusterRuntime
@_exported public import Machine
@_exported public import ParallelMap
@_exported public import Placement
@_exported public import Remote
@_exported public import Scheduling
@_exported public import class SharedMemoryLink.SegmentArena
@_exported public import struct SharedMemoryLink.SharedMemoryError
@_exported public import struct SharedMemoryLink.SystemError
@_exported public import Transport
@_exported public import Wire

#if Foundation
    @_exported public import WireFoundation
#endif
