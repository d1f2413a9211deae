/// Values by key, in the order in which they were added, for look-ups of which most have the key of the one before: the records of an
/// upload mostly concern one device and one child. Such a look-up compares keys and computes no hash.
struct RunMap<Key: Hashable, Value> {
    private(set) var keys: [Key] = []
    /// In the order of the keys.
    var values: [Value] = []
    private var places: [Key: Int] = [:]
    private var last = 0

    /// The place of a key's value in ``values``.
    mutating func place(of key: Key) -> Int? {
        if last < keys.count, keys[last] == key { return last }
        guard let place = places[key] else { return nil }
        last = place
        return place
    }

    /// Adds the value of a key that has none.
    ///
    /// - Returns: its place.
    mutating func add(_ value: Value, for key: Key) -> Int {
        assert(places[key] == nil, "a duplicate key")
        last = keys.count
        places[key] = last
        keys.append(key)
        values.append(value)
        return last
    }
}
