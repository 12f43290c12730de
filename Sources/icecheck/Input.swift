import Planning

/// Reading what the user names: a file, or standard input for `-`.
enum Input {
    static func read(_ name: String, for option: String) throws -> [UInt8] {
        try OptionSources.system.read(name, for: option)
    }
}
