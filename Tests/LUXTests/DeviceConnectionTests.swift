import LUX
import Testing

@Suite struct DeviceConnectionTests {
    @Test func `decides whether a device may be connected`() {
        typealias Case = (recorded: StoredDevice, serial: String, mac: String, outcome: Result<Bool, LUXError>)
        func device(_ child: Int64?, _ serial: String?, _ mac: String?) -> StoredDevice {
            StoredDevice(id: 1, realUserID: child, serialCode: serial, macID: mac)
        }
        let cases: [Case] = [
            (device(nil, nil, nil), "S", "41AD", .success(true)),
            (device(nil, "S", "00:1B:44:11:41:AD"), "S", "41AD", .success(true)),
            (device(nil, "S", nil), "s", "41AD", .failure(.notFoundDevice)),
            (device(nil, "S", nil), "S ", "41AD", .failure(.notFoundDevice)),
            (device(nil, nil, "41AD"), "S", "41AE", .failure(.notFoundDevice)),
            (device(5, nil, nil), "S", "41AD", .success(false)), (device(5, "S", "41AD"), "S", "41ad", .success(false)),
            (device(6, "S", "41AD"), "S", "41AD", .failure(.alreadyConnectedDevice)),
            (device(6, "S", nil), "T", "41AD", .failure(.notFoundDevice)),
            (device(5, "S", nil), "T", "41AD", .failure(.notFoundDevice)),
        ]
        for (recorded, serial, mac, outcome) in cases {
            let result = Result { () throws(LUXError) in
                try recorded.canConnect(childID: 5, serialCode: serial, macID: mac)
            }
            #expect(result == outcome, "\(recorded) with \(serial), \(mac)")
        }
    }
}
