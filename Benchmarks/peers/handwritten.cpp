// What a careful C++ programmer writes by hand: the layout that Muster documents, without its checks of text.
#include "measure.h"

namespace {

/// Grows like a vector, but leaves new bytes as they are.
struct Writer {
    char *start, *next, *end;
    explicit Writer(size_t room) : start((char *)malloc(room)), next(start), end(start + room) {}
    ~Writer() { free(start); }
    Writer(const Writer &) = delete;
    size_t size() const { return (size_t)(next - start); }
    void need(size_t count) {
        if ((size_t)(end - next) < count) grow(count);
    }
    __attribute__((noinline)) void grow(size_t count) {
        size_t used = size(), room = std::max(used + count, 2 * (size_t)(end - start));
        start = (char *)realloc(start, room);
        next = start + used;
        end = start + room;
    }
    void bytes(const void *from, size_t count) {
        need(count);
        memcpy(next, from, count);
        next += count;
    }
    template <class T> void plain(T value) { bytes(&value, sizeof value); }
    void text(const std::string &string) {
        plain((uint32_t)string.size());
        bytes(string.data(), string.size());
    }
    template <class T> void block(const std::vector<T> &elements) {
        plain((uint32_t)elements.size());
        bytes(elements.data(), elements.size() * sizeof(T));
    }
};

/// Compares every length with what is left.
struct Reader {
    const char *next, *end;
    const char *take(size_t count) {
        if ((size_t)(end - next) < count) {
            fprintf(stderr, "too short\n");
            exit(1);
        }
        const char *start = next;
        next += count;
        return start;
    }
    template <class T> T plain() {
        T value;
        memcpy(&value, take(sizeof value), sizeof value);
        return value;
    }
    std::string text() {
        size_t count = plain<uint32_t>();
        return std::string(take(count), count);
    }
    template <class T> std::vector<T> block() {
        size_t count = plain<uint32_t>();
        const char *from = take(count * sizeof(T));
        std::vector<T> result(count);
        memcpy(result.data(), from, count * sizeof(T));
        return result;
    }
};

void write(Writer &out, const Record &record) {
    out.plain(record.id);
    out.plain(record.score);
    out.text(record.name);
    out.block(record.values);
}

void read(Reader &in, Record &record) {
    record.id = in.plain<int64_t>();
    record.score = in.plain<double>();
    record.name = in.text();
    record.values = in.block<int32_t>();
}

void write(Writer &out, const LogLine &line) {
    out.bytes(line.address, 4);
    out.text(line.identity);
    out.text(line.user);
    out.text(line.date);
    out.text(line.request);
    out.plain(line.code);
    out.plain(line.size);
}

void read(Reader &in, LogLine &line) {
    memcpy(line.address, in.take(4), 4);
    line.identity = in.text();
    line.user = in.text();
    line.date = in.text();
    line.request = in.text();
    line.code = in.plain<uint16_t>();
    line.size = in.plain<uint64_t>();
}

void write(Writer &out, const Contact &contact) {
    out.plain(contact.id);
    out.plain(contact.damage);
    out.plain((uint8_t)contact.ship.has_value());
    if (contact.ship) out.plain(*contact.ship);
    out.plain((uint8_t)contact.name.has_value());
    if (contact.name) out.text(*contact.name);
    out.plain((uint8_t)contact.player.has_value());
    if (contact.player) out.plain(*contact.player);
    out.plain(contact.guidance.angle);
    out.plain(contact.guidance.submerged);
    out.plain(contact.guidance.velocity);
    out.plain(contact.movement.altitude);
    out.plain(contact.movement.angle);
    out.plain(contact.movement.x);
    out.plain(contact.movement.y);
    out.plain(contact.movement.velocity);
    out.block(contact.reloads);
    out.block(contact.turrets);
}

void read(Reader &in, Contact &contact) {
    contact.id = in.plain<uint32_t>();
    contact.damage = in.plain<uint8_t>();
    if (in.plain<uint8_t>()) contact.ship = in.plain<uint8_t>();
    if (in.plain<uint8_t>()) contact.name = in.text();
    if (in.plain<uint8_t>()) contact.player = in.plain<uint16_t>();
    contact.guidance.angle = in.plain<uint16_t>();
    contact.guidance.submerged = in.plain<uint8_t>() != 0;
    contact.guidance.velocity = in.plain<int16_t>();
    contact.movement.altitude = in.plain<int8_t>();
    contact.movement.angle = in.plain<uint16_t>();
    contact.movement.x = in.plain<float>();
    contact.movement.y = in.plain<float>();
    contact.movement.velocity = in.plain<int16_t>();
    contact.reloads = in.block<int32_t>();
    contact.turrets = in.block<uint16_t>();
}

template <class T> void write(Writer &out, const std::vector<T> &elements) {
    out.plain((uint32_t)elements.size());
    for (auto &element : elements) write(out, element);
}

template <class T> void read(Reader &in, std::vector<T> &elements) {
    size_t count = in.plain<uint32_t>();
    elements.reserve(std::min(count, (size_t)(in.end - in.next)));
    for (size_t index = 0; index < count; index++) read(in, elements.emplace_back());
}

void write(Writer &out, const Update &update) {
    out.plain(update.score);
    out.plain(update.radius);
    write(out, update.contacts);
    out.plain((uint8_t)update.terrain.has_value());
    if (!update.terrain) return;
    out.plain(update.terrain->x);
    out.plain(update.terrain->y);
    out.block(update.terrain->heights);
}

void read(Reader &in, Update &update) {
    update.score = in.plain<uint32_t>();
    update.radius = in.plain<float>();
    read(in, update.contacts);
    if (!in.plain<uint8_t>()) return;
    update.terrain.emplace();
    update.terrain->x = in.plain<int8_t>();
    update.terrain->y = in.plain<int8_t>();
    update.terrain->heights = in.block<uint8_t>();
}

/// Elements written one by one, read into a vector of structs.
template <class T> void run(Peer &peer, const Shape &shape, const std::vector<T> &values) {
    uint64_t expected = checksum(values);
    Writer message(256);
    write(message, values);
    peer(shape, "encode", "hand-written C++: encode", message.size(), [&] {
        Writer out(256);
        write(out, values);
        black_hole(out);
    });
    peer(shape, "encode.reserved", "hand-written C++: encode, room reserved", message.size(), [&] {
        Writer out(message.size());
        write(out, values);
        black_hole(out);
    });
    peer(shape, "decode", "hand-written C++: decode, every field read", message.size(), [&] {
        Reader in{message.start, message.next};
        std::vector<T> decoded;
        read(in, decoded);
        check(checksum(decoded), expected);
    });
}

/// One block.
template <class T> void run_block(Peer &peer, const Shape &shape, const std::vector<T> &values) {
    uint64_t expected = checksum(values);
    Writer message(256);
    message.block(values);
    peer(shape, "encode", "hand-written C++: encode", message.size(), [&] {
        Writer out(256);
        out.block(values);
        black_hole(out);
    });
    auto decode = [&] {
        Reader in{message.start, message.next};
        size_t count = in.plain<uint32_t>();
        const T *from = (const T *)in.take(count * sizeof(T));
        // Not `block`: a vector that is told only its size fills it with zeros first.
        return std::vector<T>(from, from + count);
    };
    peer(shape, "decode", "hand-written C++: decode", message.size(), [&] { black_hole(decode()); });
    peer(shape, "decode.read", "hand-written C++: decode, every field read", message.size(),
         [&] { check(checksum(decode()), expected); });
}

}  // namespace

int main(int count, char **arguments) {
    Peer peer("handwritten", count, arguments);
    if (peer.wants(doubles)) run_block(peer, doubles, make_doubles());
    if (peer.wants(records)) {
        auto values = make_records();
        run(peer, records, values);
        uint64_t expected = checksum(values);
        Writer message(256);
        write(message, values);
        peer(records, "views", "hand-written C++: read in place", message.size(), [&] {
            Reader in{message.start, message.next};
            Sum sum;
            for (size_t left = in.plain<uint32_t>(); left > 0; left--) {
                sum.add(in.plain<int64_t>());
                sum.add(in.plain<double>());
                size_t size = in.plain<uint32_t>();
                sum.text(in.take(size), size);
                for (size_t values = in.plain<uint32_t>(); values > 0; values--) sum.add(in.plain<int32_t>());
            }
            check(sum.value, expected);
        });
    }
    if (peer.wants(log_lines)) run(peer, log_lines, make_log());
    if (peer.wants(mesh)) run_block(peer, mesh, make_mesh());
    if (peer.wants(mk48)) run(peer, mk48, make_mk48());
}
