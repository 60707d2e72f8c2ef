// FlatBuffers: built back to front in one buffer, read in place, with and without verifying first.
#include "data_generated.h"
#include "measure.h"

namespace {

using Builder = flatbuffers::FlatBufferBuilder;

void build(Builder &to, const std::vector<double> &values) {
    to.Finish(fb::CreateDoubles(to, to.CreateVector(values)));
}

void read(Sum &sum, const fb::Doubles *root) {
    for (double value : *root->values()) sum.add(value);
}

void build(Builder &to, const std::vector<Record> &values) {
    std::vector<flatbuffers::Offset<fb::Record>> offsets;
    offsets.reserve(values.size());
    for (auto &from : values) {
        auto name = to.CreateString(from.name);
        auto numbers = to.CreateVector(from.values);
        offsets.push_back(fb::CreateRecord(to, from.id, from.score, name, numbers));
    }
    to.Finish(fb::CreateRecords(to, to.CreateVector(offsets)));
}

void add(Sum &sum, const flatbuffers::String *string) { sum.text(string->c_str(), string->size()); }

void read(Sum &sum, const fb::Records *root) {
    for (auto record : *root->records()) {
        sum.add(record->id());
        sum.add(record->score());
        add(sum, record->name());
        for (int32_t value : *record->values()) sum.add(value);
    }
}

void build(Builder &to, const std::vector<LogLine> &values) {
    std::vector<flatbuffers::Offset<fb::LogLine>> offsets;
    offsets.reserve(values.size());
    for (auto &from : values) {
        fb::Address address(from.address[0], from.address[1], from.address[2], from.address[3]);
        auto identity = to.CreateString(from.identity);
        auto user = to.CreateString(from.user);
        auto date = to.CreateString(from.date);
        auto request = to.CreateString(from.request);
        offsets.push_back(fb::CreateLogLine(to, &address, identity, user, date, request, from.code, from.size));
    }
    to.Finish(fb::CreateLog(to, to.CreateVector(offsets)));
}

void read(Sum &sum, const fb::Log *root) {
    for (auto line : *root->lines()) {
        auto address = line->address();
        sum.add(address->a());
        sum.add(address->b());
        sum.add(address->c());
        sum.add(address->d());
        add(sum, line->identity());
        add(sum, line->user());
        add(sum, line->date());
        add(sum, line->request());
        sum.add(line->code());
        sum.add(line->size());
    }
}

void build(Builder &to, const std::vector<Triangle> &values) {
    static_assert(sizeof(fb::Triangle) == sizeof(Triangle), "the same twelve numbers");
    to.Finish(fb::CreateMesh(to, to.CreateVectorOfStructs((const fb::Triangle *)values.data(), values.size())));
}

void add(Sum &sum, const fb::Vector &vector) {
    sum.add(vector.x());
    sum.add(vector.y());
    sum.add(vector.z());
}

void read(Sum &sum, const fb::Mesh *root) {
    for (auto triangle : *root->triangles()) {
        add(sum, triangle->first());
        add(sum, triangle->second());
        add(sum, triangle->third());
        add(sum, triangle->normal());
    }
}

flatbuffers::Offset<fb::Contact> build(Builder &to, const Contact &from) {
    flatbuffers::Offset<flatbuffers::String> name;
    if (from.name) name = to.CreateString(*from.name);
    auto reloads = to.CreateVector(from.reloads);
    auto turrets = to.CreateVector(from.turrets);
    fb::Guidance guidance(from.guidance.angle, from.guidance.submerged, from.guidance.velocity);
    fb::Movement movement(
        from.movement.altitude, from.movement.angle, from.movement.x, from.movement.y, from.movement.velocity);
    fb::ContactBuilder contact(to);
    contact.add_id(from.id);
    contact.add_damage(from.damage);
    if (from.ship) contact.add_ship(*from.ship);
    if (from.name) contact.add_name(name);
    if (from.player) contact.add_player(*from.player);
    contact.add_guidance(&guidance);
    contact.add_movement(&movement);
    contact.add_reloads(reloads);
    contact.add_turrets(turrets);
    return contact.Finish();
}

void build(Builder &to, const std::vector<Update> &values) {
    std::vector<flatbuffers::Offset<fb::Update>> offsets;
    offsets.reserve(values.size());
    std::vector<flatbuffers::Offset<fb::Contact>> contacts;
    for (auto &from : values) {
        contacts.clear();
        for (auto &contact : from.contacts) contacts.push_back(build(to, contact));
        auto list = to.CreateVector(contacts);
        flatbuffers::Offset<fb::Terrain> terrain;
        if (from.terrain) {
            terrain = fb::CreateTerrain(to, from.terrain->x, from.terrain->y, to.CreateVector(from.terrain->heights));
        }
        offsets.push_back(fb::CreateUpdate(to, from.score, from.radius, list, terrain));
    }
    to.Finish(fb::CreateUpdates(to, to.CreateVector(offsets)));
}

void read(Sum &sum, const fb::Updates *root) {
    for (auto update : *root->updates()) {
        sum.add(update->score());
        sum.add(update->radius());
        for (auto contact : *update->contacts()) {
            sum.add(contact->id());
            sum.add(contact->damage());
            sum.add(contact->ship().value_or(99));
            if (contact->name()) add(sum, contact->name()); else sum.add(7);
            sum.add(contact->player().value_or(9));
            sum.add(contact->guidance()->angle());
            sum.add(contact->guidance()->submerged());
            sum.add(contact->guidance()->velocity());
            sum.add(contact->movement()->altitude());
            sum.add(contact->movement()->angle());
            sum.add(contact->movement()->x());
            sum.add(contact->movement()->y());
            sum.add(contact->movement()->velocity());
            for (int32_t reload : *contact->reloads()) sum.add(reload);
            for (uint16_t turret : *contact->turrets()) sum.add(turret);
        }
        auto terrain = update->terrain();
        if (!terrain) continue;
        sum.add(terrain->x());
        sum.add(terrain->y());
        for (uint8_t height : *terrain->heights()) sum.add(height);
    }
}

template <class Root, class Values> void run(Peer &peer, const Shape &shape, const Values &values) {
    uint64_t expected = checksum(values);
    Builder message(1 << 20);
    build(message, values);
    size_t size = message.GetSize();
    peer(shape, "encode", "FlatBuffers: encode", size, [&] {
        Builder builder(1 << 20);
        build(builder, values);
        black_hole(builder);
    });
    auto read_all = [&] {
        Sum sum;
        read(sum, flatbuffers::GetRoot<Root>(message.GetBufferPointer()));
        check(sum.value, expected);
    };
    peer(shape, "views", "FlatBuffers: read in place, unchecked", size, read_all);
    peer(shape, "views.verified", "FlatBuffers: verify, read in place", size, [&] {
        flatbuffers::Verifier verifier(message.GetBufferPointer(), size, 64, 100000000);
        if (!verifier.VerifyBuffer<Root>(nullptr)) exit(1);
        read_all();
    });
}

}  // namespace

int main(int count, char **arguments) {
    Peer peer("flatbuffers", count, arguments);
    if (peer.wants(doubles)) run<fb::Doubles>(peer, doubles, make_doubles());
    if (peer.wants(records)) run<fb::Records>(peer, records, make_records());
    if (peer.wants(log_lines)) run<fb::Log>(peer, log_lines, make_log());
    if (peer.wants(mesh)) run<fb::Mesh>(peer, mesh, make_mesh());
    if (peer.wants(mk48)) run<fb::Updates>(peer, mk48, make_mk48());
}
