// The same data as Sources/muster-benchmarks/WireData.swift makes, and the same sums over it.
#pragma once
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

struct SplitMix64 {
    uint64_t state;
    uint64_t next() {
        uint64_t mixed = state += 0x9E3779B97F4A7C15;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return mixed ^ (mixed >> 31);
    }
    uint64_t below(uint64_t bound) { return next() % bound; }
    double number() { return (double)(next() >> 11) * 0x1p-53; }
    float single() { return (float)(next() >> 40) * 0x1p-24f; }
    template <class T, size_t count> T element(const T (&elements)[count]) { return elements[below(count)]; }
};

struct Record {
    int64_t id;
    double score;
    std::string name;
    std::vector<int32_t> values;
};

struct LogLine {
    uint8_t address[4];
    std::string identity, user, date, request;
    uint16_t code;
    uint64_t size;
};

struct Vector {
    float x, y, z;
};

struct Triangle {
    Vector corners[4];  // the last one is the normal
};

struct Movement {
    int8_t altitude;
    uint16_t angle;
    float x, y;
    int16_t velocity;
};

struct Guidance {
    uint16_t angle;
    bool submerged;
    int16_t velocity;
};

struct Contact {
    uint32_t id;
    uint8_t damage;
    std::optional<uint8_t> ship;
    std::optional<std::string> name;
    std::optional<uint16_t> player;
    Guidance guidance;
    Movement movement;
    std::vector<int32_t> reloads;
    std::vector<uint16_t> turrets;
};

struct Terrain {
    int8_t x, y;
    std::vector<uint8_t> heights;
};

struct Update {
    uint32_t score;
    float radius;
    std::vector<Contact> contacts;
    std::optional<Terrain> terrain;
};

inline std::vector<double> make_doubles() {
    SplitMix64 random{1};
    std::vector<double> result(10000000);
    for (auto &value : result) value = random.number();
    return result;
}

inline std::vector<Record> make_records() {
    SplitMix64 random{2};
    std::vector<Record> result(100000);
    int64_t index = 0;
    for (auto &record : result) {
        record.id = index * 7919;
        record.score = random.number() * 100;
        char name[16];
        snprintf(name, sizeof name, "name%08d", (int)index++);
        record.name = name;
        for (int value = 0; value < 4; value++) record.values.push_back((int32_t)random.below(100000));
    }
    return result;
}

inline std::vector<LogLine> make_log() {
    static const char *const users[] = {"-", "ada", "barbara", "chris", "edsger", "grace", "ken", "radia", "tony"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
    static const char *const paths[] = {"/", "/index.html", "/style/main.css", "/style/print.min.css",
                                        "/images/banner-wide.svg", "/api/v1/session", "/search"};
    static const char *const protocols[] = {"HTTP/1.0", "HTTP/1.1", "HTTP/2", "HTTP/3"};
    static const uint16_t codes[] = {200, 201, 204, 206, 301, 302, 304, 400, 401, 403, 404, 410, 429, 500, 503};
    SplitMix64 random{3};
    std::vector<LogLine> result(10000);
    for (auto &line : result) {
        for (auto &byte : line.address) byte = (uint8_t)random.below(256);
        line.identity = "-";
        line.user = random.element(users);
        // One statement each: the order of the numbers matters.
        int day = (int)random.below(28) + 1;
        const char *month = random.element(months);
        int year = (int)random.below(40) + 1985;
        int hour = (int)random.below(24);
        int minute = (int)random.below(60);
        int second = (int)random.below(60);
        int zone = (int)random.below(10);
        char date[64];
        snprintf(date, sizeof date, "%d/%s/%d:%d:%d:%d +0%d00", day, month, year, hour, minute, second, zone);
        line.date = date;
        std::string method = random.element(methods);
        std::string path = random.element(paths);
        std::string protocol = random.element(protocols);
        line.request = method + " " + path + " " + protocol;
        line.code = random.element(codes);
        line.size = random.below(100000000);
    }
    return result;
}

inline std::vector<Triangle> make_mesh() {
    SplitMix64 random{4};
    std::vector<Triangle> result(125000);
    for (auto &triangle : result) {
        for (auto &corner : triangle.corners) {
            corner.x = random.single();
            corner.y = random.single();
            corner.z = random.single();
        }
    }
    return result;
}

inline std::vector<Update> make_mk48() {
    SplitMix64 random{5};
    std::vector<Update> result(1000);
    for (auto &update : result) {
        update.score = (uint32_t)random.below(1000000);
        update.radius = random.single() * 5000;
        update.contacts.resize(random.below(40));
        for (auto &contact : update.contacts) {
            contact.id = (uint32_t)random.next();
            contact.damage = (uint8_t)random.below(256);
            if (random.below(10) != 0) contact.ship = (uint8_t)random.below(10);
            if (random.below(2) != 0) contact.name = "captain-" + std::to_string(random.below(1000000000000));
            if (random.below(3) != 0) contact.player = (uint16_t)random.next();
            contact.guidance.angle = (uint16_t)random.next();
            contact.guidance.submerged = random.below(2) == 1;
            contact.guidance.velocity = (int16_t)random.next();
            contact.movement.altitude = (int8_t)random.next();
            contact.movement.angle = (uint16_t)random.next();
            contact.movement.x = random.single() * 750;
            contact.movement.y = random.single() * 750;
            contact.movement.velocity = (int16_t)random.next();
            contact.reloads.resize(random.below(12));
            for (auto &reload : contact.reloads) reload = (int32_t)random.below(1000);
            contact.turrets.resize(random.below(5));
            for (auto &turret : contact.turrets) turret = (uint16_t)random.next();
        }
        if (random.below(4) == 0) {
            update.terrain.emplace();
            update.terrain->x = (int8_t)random.next();
            update.terrain->y = (int8_t)random.next();
            update.terrain->heights.resize(random.below(200));
            for (auto &height : update.terrain->heights) height = (uint8_t)random.below(256);
        }
    }
    return result;
}

/// Adds up everything that it is given.
struct Sum {
    uint64_t value = 0;
    template <class T> void add(T number) { value += (uint64_t)number; }
    void add(double number) {
        uint64_t bits;
        memcpy(&bits, &number, sizeof bits);
        value += bits;
    }
    void add(float number) {
        uint32_t bits;
        memcpy(&bits, &number, sizeof bits);
        value += bits;
    }
    void text(const char *bytes, size_t count) {
        for (size_t index = 0; index < count; index++) value += (uint8_t)bytes[index];
    }
    void text(const std::string &string) { text(string.data(), string.size()); }
};

inline uint64_t checksum(const std::vector<double> &values) {
    Sum sum;
    for (double value : values) sum.add(value);
    return sum.value;
}

inline uint64_t checksum(const std::vector<Record> &records) {
    Sum sum;
    for (auto &record : records) {
        sum.add(record.id);
        sum.add(record.score);
        sum.text(record.name);
        for (int32_t value : record.values) sum.add(value);
    }
    return sum.value;
}

inline uint64_t checksum(const std::vector<LogLine> &lines) {
    Sum sum;
    for (auto &line : lines) {
        for (uint8_t byte : line.address) sum.add(byte);
        sum.text(line.identity);
        sum.text(line.user);
        sum.text(line.date);
        sum.text(line.request);
        sum.add(line.code);
        sum.add(line.size);
    }
    return sum.value;
}

inline uint64_t checksum(const std::vector<Triangle> &mesh) {
    Sum sum;
    for (auto &triangle : mesh) {
        for (auto &corner : triangle.corners) {
            sum.add(corner.x);
            sum.add(corner.y);
            sum.add(corner.z);
        }
    }
    return sum.value;
}

inline uint64_t checksum(const std::vector<Update> &updates) {
    Sum sum;
    for (auto &update : updates) {
        sum.add(update.score);
        sum.add(update.radius);
        for (auto &contact : update.contacts) {
            sum.add(contact.id);
            sum.add(contact.damage);
            sum.add(contact.ship.value_or(99));
            if (contact.name) sum.text(*contact.name); else sum.add(7);
            sum.add(contact.player.value_or(9));
            sum.add(contact.guidance.angle);
            sum.add(contact.guidance.submerged);
            sum.add(contact.guidance.velocity);
            sum.add(contact.movement.altitude);
            sum.add(contact.movement.angle);
            sum.add(contact.movement.x);
            sum.add(contact.movement.y);
            sum.add(contact.movement.velocity);
            for (int32_t reload : contact.reloads) sum.add(reload);
            for (uint16_t turret : contact.turrets) sum.add(turret);
        }
        if (!update.terrain) continue;
        sum.add(update.terrain->x);
        sum.add(update.terrain->y);
        for (uint8_t height : update.terrain->heights) sum.add(height);
    }
    return sum.value;
}
