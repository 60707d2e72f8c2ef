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

/// Bandwidth in MiB/s of a NUMA node as its own CPUs see it; 0 if unknown.
static inline unsigned long muster_hwloc_bandwidth(hwloc_topology_t topology, hwloc_obj_t node) {
    struct hwloc_location from;
    hwloc_uint64_t value = 0;
    from.type = HWLOC_LOCATION_TYPE_CPUSET;
    from.location.cpuset = node->cpuset;
    if (hwloc_memattr_get_value(topology, HWLOC_MEMATTR_ID_BANDWIDTH, node, &from, 0, &value)) return 0;
    return value;
}

/// Class of a PCI device as the PCI standard numbers it, 0 for other objects.
static inline unsigned muster_hwloc_pci_class(hwloc_obj_t object) {
    return object->type == HWLOC_OBJ_PCI_DEVICE ? object->attr->pcidev.class_id : 0;
}

/// Domain, bus, device and function of a PCI device, from the highest bits: 32, 8, 8 and 8 of them.
static inline unsigned long long muster_hwloc_pci_address(hwloc_obj_t object) {
    struct hwloc_pcidev_attr_s pci = object->attr->pcidev;
    return ((unsigned long long)pci.domain << 24) | (pci.bus << 16) | (pci.dev << 8) | pci.func;
}

/// What an operating system's device is for, as hwloc numbers it; -1 for other objects.
static inline int muster_hwloc_os_device_type(hwloc_obj_t object) {
    return object->type == HWLOC_OBJ_OS_DEVICE ? (int)object->attr->osdev.type : -1;
}

#endif
