import LUXTestSupport

/// Creates histories: few users, devices, starts, file ids and values, so that requests collide in every way, and often an
/// earlier request again.
struct RequestGenerator {
    private var random: SplitMix64
    private var sent: [ModelRequest] = []

    init(seed: UInt64) {
        random = SplitMix64(state: seed)
    }

    /// The next request to a world in this state.
    mutating func next(_ model: WorldModel) -> ModelRequest {
        if !sent.isEmpty, chance(1, of: 4) {
            // A phone that never saw a response; most often of the last few, sometimes from long ago.
            let recent = chance(3, of: 4) ? sent.suffix(6) : sent[...]
            if let request = recent.randomElement(using: &random) { return request }
        }
        let request = make(model)
        sent.append(request)
        return request
    }

    /// A request that no earlier one was.
    mutating func make(_ model: WorldModel) -> ModelRequest {
        let user = chance(1, of: 30) ? -1 : Int.random(in: 0..<model.phones.count, using: &random)
        // Mostly something that can succeed.
        let own = model.children.indices.filter { model.children[$0].user == user }
        let child = chance(1, of: 12) ? place(model.children.count) : own.randomElement(using: &random) ?? 0
        let mine = model.devices.indices.filter { model.devices[$0].child == child }
        let device = chance(1, of: 4) ? place(model.devices.count) : mine.randomElement(using: &random) ?? 0
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<5: return ModelRequest(user: user, action: .childDevice(child: child))
        case 5..<8: return ModelRequest(user: user, action: .allDevices)
        case 8..<18:
            let serial = ["SN-1", "SN-1", "SN-2"].randomElement(using: &random) ?? "SN-1"
            let mac = ["41AD", "41AD", "41AE"].randomElement(using: &random) ?? "41AD"
            let free = model.devices.indices.filter { model.devices[$0].child == nil }
            let target = chance(1, of: 3) ? device : free.randomElement(using: &random) ?? device
            return ModelRequest(user: user, action: .connect(device: target, child: child, serial: serial, mac: mac))
        case 18..<25: return ModelRequest(user: user, action: .disconnect(device: device, child: child))
        case 25..<29: return ModelRequest(user: user, action: .check(device: device))
        case 29..<34:
            let alias = ["Living room", "Bedroom"].randomElement(using: &random) ?? "Bedroom"
            return ModelRequest(user: user, action: .rename(device: device, child: child, alias: alias))
        case 34..<37: return ModelRequest(user: user, action: .message)
        default:
            let count = chance(1, of: 2) ? 1 : Int.random(in: 2...7, using: &random)
            return ModelRequest(
                user: user, action: .upload((0..<count).map { _ in record(model, user, child, device) }))
        }
    }

    private mutating func record(_ model: WorldModel, _ user: Int, _ child: Int, _ device: Int) -> ModelRequest.Record {
        var (child, device) = (child, device)
        if chance(1, of: 3) {
            // Another pair in the same request: of the same user, or now and then of nobody.
            let pairs = model.devices.indices.compactMap { index -> (device: Int, child: Int)? in
                guard let child = model.devices[index].child, model.children[child].user == user else { return nil }
                return (index, child)
            }
            if let pair = pairs.randomElement(using: &random) { (child, device) = (pair.child, pair.device) }
            if chance(1, of: 40) { child = -1 }
            if chance(1, of: 40) { device = -1 }
        }
        return ModelRequest.Record(
            child: child, device: device, hasWrongUniqueID: chance(1, of: 200),
            file: [nil, 0, 1, 2, 3].randomElement(using: &random) ?? nil,
            // Temporary and complete starts less than, exactly and more than 120 seconds apart.
            date: [30, 60, 90, 150, 151, 180, 300].randomElement(using: &random) ?? 30,
            flag: chance(2, of: 5) ? nil : Int.random(in: 1...2, using: &random),
            intensity: Int.random(in: 0..<3, using: &random), time: Int.random(in: 1...3, using: &random) * 30,
            note: Int.random(in: 0..<2, using: &random))
    }

    /// A place that exists, or now and then none.
    private mutating func place(_ count: Int) -> Int {
        chance(1, of: 8) ? -1 : Int.random(in: 0..<count, using: &random)
    }

    mutating func chance(_ part: Int, of whole: Int) -> Bool {
        Int.random(in: 0..<whole, using: &random) < part
    }
}
