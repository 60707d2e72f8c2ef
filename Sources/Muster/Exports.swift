// One import is all that a program needs.
@_exported public import Machine
@_exported public import Placement
