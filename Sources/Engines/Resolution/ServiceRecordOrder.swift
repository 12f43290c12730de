package import NetTypes

/// The order in which a client tries SRV records (RFC 2782).
package enum ServiceRecordOrder {
    /// The first `limit` records: lowest priority first, within one priority by chance in proportion to the weight.
    package static func order(
        _ records: [ServiceRecord], limit: Int = .max, using random: inout some RandomNumberGenerator
    ) -> [ServiceRecord] {
        var ordered: [ServiceRecord] = []
        let priorities = Dictionary(grouping: records, by: \.priority).sorted { $0.key < $1.key }
        for (_, group) in priorities {
            // Records of weight 0 stand first, so that the draw 0 gives them their small chance.
            var remaining = group.sorted { ($0.weight, $0.target, $0.port) < ($1.weight, $1.target, $1.port) }
            while !remaining.isEmpty, ordered.count < limit {
                let total = remaining.reduce(0) { $0 + Int($1.weight) }
                let draw = Int(random.next(upperBound: UInt64(total) + 1))
                var sum = 0
                let index = remaining.firstIndex { record in
                    sum += Int(record.weight)
                    return sum >= draw
                }
                ordered.append(remaining.remove(at: index ?? 0))
            }
        }
        return ordered
    }
}
