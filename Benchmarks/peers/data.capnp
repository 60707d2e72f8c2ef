@0xd0bb84ecbdc5f2a1;
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("cp");

struct Doubles { values @0 :List(Float64); }

struct Record { id @0 :Int64; score @1 :Float64; name @2 :Text; values @3 :List(Int32); }
struct Records { records @0 :List(Record); }

struct Address { a @0 :UInt8; b @1 :UInt8; c @2 :UInt8; d @3 :UInt8; }
struct LogLine {
  address @0 :Address; identity @1 :Text; user @2 :Text; date @3 :Text; request @4 :Text; code @5 :UInt16;
  size @6 :UInt64;
}
struct Log { lines @0 :List(LogLine); }

struct Vector { x @0 :Float32; y @1 :Float32; z @2 :Float32; }
struct Triangle { first @0 :Vector; second @1 :Vector; third @2 :Vector; normal @3 :Vector; }
struct Mesh { triangles @0 :List(Triangle); }

struct Movement { altitude @0 :Int8; angle @1 :UInt16; x @2 :Float32; y @3 :Float32; velocity @4 :Int16; }
struct Guidance { angle @0 :UInt16; submerged @1 :Bool; velocity @2 :Int16; }
struct Contact {
  id @0 :UInt32; damage @1 :UInt8;
  ship :union { none @2 :Void; some @3 :UInt8; }
  name @4 :Text;
  player :union { none @5 :Void; some @6 :UInt16; }
  guidance @7 :Guidance; movement @8 :Movement; reloads @9 :List(Int32); turrets @10 :List(UInt16);
}
struct Terrain { x @0 :Int8; y @1 :Int8; heights @2 :Data; }
struct Update { score @0 :UInt32; radius @1 :Float32; contacts @2 :List(Contact); terrain @3 :Terrain; }
struct Updates { updates @0 :List(Update); }
