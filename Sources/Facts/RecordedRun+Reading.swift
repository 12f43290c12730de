import JSON

extension RecordedRun {
    /// Why a file is no record that can be used: one line.
    package struct Fault: Error, Hashable, CustomStringConvertible {
        package let description: String
    }

    /// 256 MiB: a run of an hour's series takes less.
    package static let byteLimit = 256 << 20

    /// Reads a file, which may come from anyone.
    package init(parsing bytes: [UInt8]) throws(Fault) {
        let json: PlacedJSON
        do {
            json = try PlacedJSON(parsing: bytes)
        } catch {
            let (line, column) = error.place(in: bytes)
            throw Fault(
                description: error.offset >= bytes.count
                    ? "the file is empty, or its end is missing" : "line \(line), column \(column): \(error.message)")
        }
        guard case .string(let schema)? = json["schema"]?.value else {
            throw Fault(description: "this is not a record of a run: it has no schema")
        }
        guard schema == Self.schema else {
            throw Fault(
                description: "this is not a record of a run, which --record writes: its schema is "
                    + "\(schema.prefix(60).debugDescription)")
        }
        guard case .number(let version)? = json["version"]?.value, version == "\(Self.version)" else {
            throw Fault(description: "this icecheck reads records of version \(Self.version) only")
        }
        do {
            self = try JSONDecoding.value(Self.self, from: json)
        } catch {
            let (line, _) = JSONSyntaxError.place(of: error.offset, in: bytes)
            throw Fault(description: "line \(line), \(error.place): \(error.message)")
        }
        if let objection { throw Fault(description: objection) }
    }
}
