// protobuf: the program's values are copied into messages, as a program with types of its own does, then written;
// what is read are messages that own their fields.
#include "data.pb.h"
#include "measure.h"

namespace {

void build(pb::Doubles &to, const std::vector<double> &values) {
    to.mutable_values()->Add(values.begin(), values.end());
}

void read(Sum &sum, const pb::Doubles &root) {
    for (double value : root.values()) sum.add(value);
}

void build(pb::Records &to, const std::vector<Record> &values) {
    to.mutable_records()->Reserve((int)values.size());
    for (auto &from : values) {
        auto record = to.add_records();
        record->set_id(from.id);
        record->set_score(from.score);
        record->set_name(from.name);
        record->mutable_values()->Add(from.values.begin(), from.values.end());
    }
}

void read(Sum &sum, const pb::Records &root) {
    for (auto &record : root.records()) {
        sum.add(record.id());
        sum.add(record.score());
        sum.text(record.name());
        for (int32_t value : record.values()) sum.add(value);
    }
}

void build(pb::Log &to, const std::vector<LogLine> &values) {
    to.mutable_lines()->Reserve((int)values.size());
    for (auto &from : values) {
        auto line = to.add_lines();
        uint32_t address;
        memcpy(&address, from.address, 4);
        line->set_address(address);
        line->set_identity(from.identity);
        line->set_user(from.user);
        line->set_date(from.date);
        line->set_request(from.request);
        line->set_code(from.code);
        line->set_size(from.size);
    }
}

void read(Sum &sum, const pb::Log &root) {
    for (auto &line : root.lines()) {
        for (int shift = 0; shift < 32; shift += 8) sum.add((uint8_t)(line.address() >> shift));
        sum.text(line.identity());
        sum.text(line.user());
        sum.text(line.date());
        sum.text(line.request());
        sum.add(line.code());
        sum.add(line.size());
    }
}

void set(pb::Vector *to, const Vector &from) {
    to->set_x(from.x);
    to->set_y(from.y);
    to->set_z(from.z);
}

void add(Sum &sum, const pb::Vector &vector) {
    sum.add(vector.x());
    sum.add(vector.y());
    sum.add(vector.z());
}

void build(pb::Mesh &to, const std::vector<Triangle> &values) {
    to.mutable_triangles()->Reserve((int)values.size());
    for (auto &from : values) {
        auto triangle = to.add_triangles();
        set(triangle->mutable_first(), from.corners[0]);
        set(triangle->mutable_second(), from.corners[1]);
        set(triangle->mutable_third(), from.corners[2]);
        set(triangle->mutable_normal(), from.corners[3]);
    }
}

void read(Sum &sum, const pb::Mesh &root) {
    for (auto &triangle : root.triangles()) {
        add(sum, triangle.first());
        add(sum, triangle.second());
        add(sum, triangle.third());
        add(sum, triangle.normal());
    }
}

void build(pb::Contact &to, const Contact &from) {
    to.set_id(from.id);
    to.set_damage(from.damage);
    if (from.ship) to.set_ship(*from.ship);
    if (from.name) to.set_name(*from.name);
    if (from.player) to.set_player(*from.player);
    auto guidance = to.mutable_guidance();
    guidance->set_angle(from.guidance.angle);
    guidance->set_submerged(from.guidance.submerged);
    guidance->set_velocity(from.guidance.velocity);
    auto movement = to.mutable_movement();
    movement->set_altitude(from.movement.altitude);
    movement->set_angle(from.movement.angle);
    movement->set_x(from.movement.x);
    movement->set_y(from.movement.y);
    movement->set_velocity(from.movement.velocity);
    to.mutable_reloads()->Add(from.reloads.begin(), from.reloads.end());
    to.mutable_turrets()->Add(from.turrets.begin(), from.turrets.end());
}

void build(pb::Updates &to, const std::vector<Update> &values) {
    to.mutable_updates()->Reserve((int)values.size());
    for (auto &from : values) {
        auto update = to.add_updates();
        update->set_score(from.score);
        update->set_radius(from.radius);
        for (auto &contact : from.contacts) build(*update->add_contacts(), contact);
        if (!from.terrain) continue;
        auto terrain = update->mutable_terrain();
        terrain->set_x(from.terrain->x);
        terrain->set_y(from.terrain->y);
        terrain->set_heights(from.terrain->heights.data(), from.terrain->heights.size());
    }
}

void read(Sum &sum, const pb::Updates &root) {
    for (auto &update : root.updates()) {
        sum.add(update.score());
        sum.add(update.radius());
        for (auto &contact : update.contacts()) {
            sum.add(contact.id());
            sum.add(contact.damage());
            sum.add(contact.has_ship() ? contact.ship() : 99);
            if (contact.has_name()) sum.text(contact.name()); else sum.add(7);
            sum.add(contact.has_player() ? contact.player() : 9);
            sum.add(contact.guidance().angle());
            sum.add(contact.guidance().submerged());
            sum.add(contact.guidance().velocity());
            sum.add(contact.movement().altitude());
            sum.add(contact.movement().angle());
            sum.add(contact.movement().x());
            sum.add(contact.movement().y());
            sum.add(contact.movement().velocity());
            for (int32_t reload : contact.reloads()) sum.add(reload);
            for (uint32_t turret : contact.turrets()) sum.add(turret);
        }
        if (!update.has_terrain()) continue;
        sum.add(update.terrain().x());
        sum.add(update.terrain().y());
        for (char height : update.terrain().heights()) sum.add((uint8_t)height);
    }
}

template <class Root, class Values> void run(Peer &peer, const Shape &shape, const Values &values) {
    uint64_t expected = checksum(values);
    std::string message;
    auto encode = [&](std::string &bytes) {
        Root root;
        build(root, values);
        if (!root.SerializeToString(&bytes)) exit(1);
    };
    encode(message);
    peer(shape, "encode", "protobuf: encode", message.size(), [&] {
        std::string bytes;
        encode(bytes);
        black_hole(bytes);
    });
    peer(shape, "decode", "protobuf: decode, every field read", message.size(), [&] {
        Root root;
        if (!root.ParseFromString(message)) exit(1);
        Sum sum;
        read(sum, root);
        check(sum.value, expected);
    });
}

}  // namespace

int main(int count, char **arguments) {
    Peer peer("protobuf", count, arguments);
    if (peer.wants(doubles)) run<pb::Doubles>(peer, doubles, make_doubles());
    if (peer.wants(records)) run<pb::Records>(peer, records, make_records());
    if (peer.wants(log_lines)) run<pb::Log>(peer, log_lines, make_log());
    if (peer.wants(mesh)) run<pb::Mesh>(peer, mesh, make_mesh());
    if (peer.wants(mk48)) run<pb::Updates>(peer, mk48, make_mk48());
}
