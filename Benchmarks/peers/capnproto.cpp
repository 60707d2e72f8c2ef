// Cap'n Proto: built in segments, handed over as one flat array, read in place (bounds are checked at each access).
#include "data.capnp.h"
#include "measure.h"
#include <capnp/message.h>
#include <capnp/serialize.h>

namespace {

kj::StringPtr text(const std::string &string) { return kj::StringPtr(string.data(), string.size()); }

template <class List, class Values> void fill(List list, const Values &values) {
    for (size_t index = 0; index < values.size(); index++) list.set((unsigned)index, values[index]);
}

void build(cp::Doubles::Builder root, const std::vector<double> &values) {
    fill(root.initValues((unsigned)values.size()), values);
}

void read(Sum &sum, cp::Doubles::Reader root) {
    for (double value : root.getValues()) sum.add(value);
}

void build(cp::Records::Builder root, const std::vector<Record> &values) {
    auto list = root.initRecords((unsigned)values.size());
    for (unsigned index = 0; index < values.size(); index++) {
        auto to = list[index];
        auto &from = values[index];
        to.setId(from.id);
        to.setScore(from.score);
        to.setName(text(from.name));
        fill(to.initValues((unsigned)from.values.size()), from.values);
    }
}

void read(Sum &sum, cp::Records::Reader root) {
    for (auto record : root.getRecords()) {
        sum.add(record.getId());
        sum.add(record.getScore());
        auto name = record.getName();
        sum.text(name.begin(), name.size());
        for (int32_t value : record.getValues()) sum.add(value);
    }
}

void build(cp::Log::Builder root, const std::vector<LogLine> &values) {
    auto list = root.initLines((unsigned)values.size());
    for (unsigned index = 0; index < values.size(); index++) {
        auto to = list[index];
        auto &from = values[index];
        auto address = to.initAddress();
        address.setA(from.address[0]);
        address.setB(from.address[1]);
        address.setC(from.address[2]);
        address.setD(from.address[3]);
        to.setIdentity(text(from.identity));
        to.setUser(text(from.user));
        to.setDate(text(from.date));
        to.setRequest(text(from.request));
        to.setCode(from.code);
        to.setSize(from.size);
    }
}

void read(Sum &sum, cp::Log::Reader root) {
    for (auto line : root.getLines()) {
        auto address = line.getAddress();
        sum.add(address.getA());
        sum.add(address.getB());
        sum.add(address.getC());
        sum.add(address.getD());
        for (auto string : {line.getIdentity(), line.getUser(), line.getDate(), line.getRequest()}) {
            sum.text(string.begin(), string.size());
        }
        sum.add(line.getCode());
        sum.add(line.getSize());
    }
}

void set(cp::Vector::Builder to, const Vector &from) {
    to.setX(from.x);
    to.setY(from.y);
    to.setZ(from.z);
}

void add(Sum &sum, cp::Vector::Reader vector) {
    sum.add(vector.getX());
    sum.add(vector.getY());
    sum.add(vector.getZ());
}

void build(cp::Mesh::Builder root, const std::vector<Triangle> &values) {
    auto list = root.initTriangles((unsigned)values.size());
    for (unsigned index = 0; index < values.size(); index++) {
        auto to = list[index];
        auto &corners = values[index].corners;
        set(to.initFirst(), corners[0]);
        set(to.initSecond(), corners[1]);
        set(to.initThird(), corners[2]);
        set(to.initNormal(), corners[3]);
    }
}

void read(Sum &sum, cp::Mesh::Reader root) {
    for (auto triangle : root.getTriangles()) {
        add(sum, triangle.getFirst());
        add(sum, triangle.getSecond());
        add(sum, triangle.getThird());
        add(sum, triangle.getNormal());
    }
}

void build(cp::Updates::Builder root, const std::vector<Update> &values) {
    auto list = root.initUpdates((unsigned)values.size());
    for (unsigned index = 0; index < values.size(); index++) {
        auto to = list[index];
        auto &from = values[index];
        to.setScore(from.score);
        to.setRadius(from.radius);
        auto contacts = to.initContacts((unsigned)from.contacts.size());
        for (unsigned place = 0; place < from.contacts.size(); place++) {
            auto contact = contacts[place];
            auto &source = from.contacts[place];
            contact.setId(source.id);
            contact.setDamage(source.damage);
            if (source.ship) contact.getShip().setSome(*source.ship);
            if (source.name) contact.setName(text(*source.name));
            if (source.player) contact.getPlayer().setSome(*source.player);
            auto guidance = contact.initGuidance();
            guidance.setAngle(source.guidance.angle);
            guidance.setSubmerged(source.guidance.submerged);
            guidance.setVelocity(source.guidance.velocity);
            auto movement = contact.initMovement();
            movement.setAltitude(source.movement.altitude);
            movement.setAngle(source.movement.angle);
            movement.setX(source.movement.x);
            movement.setY(source.movement.y);
            movement.setVelocity(source.movement.velocity);
            fill(contact.initReloads((unsigned)source.reloads.size()), source.reloads);
            fill(contact.initTurrets((unsigned)source.turrets.size()), source.turrets);
        }
        if (!from.terrain) continue;
        auto terrain = to.initTerrain();
        terrain.setX(from.terrain->x);
        terrain.setY(from.terrain->y);
        terrain.setHeights(kj::ArrayPtr<const kj::byte>(from.terrain->heights.data(), from.terrain->heights.size()));
    }
}

void read(Sum &sum, cp::Updates::Reader root) {
    for (auto update : root.getUpdates()) {
        sum.add(update.getScore());
        sum.add(update.getRadius());
        for (auto contact : update.getContacts()) {
            sum.add(contact.getId());
            sum.add(contact.getDamage());
            sum.add(contact.getShip().isSome() ? contact.getShip().getSome() : 99);
            if (contact.hasName()) {
                auto name = contact.getName();
                sum.text(name.begin(), name.size());
            } else {
                sum.add(7);
            }
            sum.add(contact.getPlayer().isSome() ? contact.getPlayer().getSome() : 9);
            auto guidance = contact.getGuidance();
            sum.add(guidance.getAngle());
            sum.add(guidance.getSubmerged());
            sum.add(guidance.getVelocity());
            auto movement = contact.getMovement();
            sum.add(movement.getAltitude());
            sum.add(movement.getAngle());
            sum.add(movement.getX());
            sum.add(movement.getY());
            sum.add(movement.getVelocity());
            for (int32_t reload : contact.getReloads()) sum.add(reload);
            for (uint16_t turret : contact.getTurrets()) sum.add(turret);
        }
        if (!update.hasTerrain()) continue;
        auto terrain = update.getTerrain();
        sum.add(terrain.getX());
        sum.add(terrain.getY());
        for (uint8_t height : terrain.getHeights()) sum.add(height);
    }
}

template <class Root, class Values> void run(Peer &peer, const Shape &shape, const Values &values) {
    uint64_t expected = checksum(values);
    auto encode = [&] {
        capnp::MallocMessageBuilder message(1 << 17);
        build(message.initRoot<Root>(), values);
        return capnp::messageToFlatArray(message);
    };
    auto message = encode();
    size_t size = message.asBytes().size();
    peer(shape, "encode", "Cap'n Proto: encode", size, [&] { black_hole(encode()); });
    capnp::ReaderOptions options;
    options.traversalLimitInWords = 1ull << 40;
    peer(shape, "views", "Cap'n Proto: read in place", size, [&] {
        capnp::FlatArrayMessageReader reader(message, options);
        Sum sum;
        read(sum, reader.getRoot<Root>());
        check(sum.value, expected);
    });
}

}  // namespace

int main(int count, char **arguments) {
    Peer peer("capnproto", count, arguments);
    if (peer.wants(doubles)) run<cp::Doubles>(peer, doubles, make_doubles());
    if (peer.wants(records)) run<cp::Records>(peer, records, make_records());
    if (peer.wants(log_lines)) run<cp::Log>(peer, log_lines, make_log());
    if (peer.wants(mesh)) run<cp::Mesh>(peer, mesh, make_mesh());
    if (peer.wants(mk48)) run<cp::Updates>(peer, mk48, make_mk48());
}
