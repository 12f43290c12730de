import JSON
import NetTypes
import Planning
import Prediction

extension FuzzTargets {
    /// A text is JSON, or at fault in the same place, whether it is read or skipped; what is read can be written and
    /// read again.
    static func json(_ bytes: [UInt8]) {
        var skipping = JSONReader(bytes.span)
        do throws(JSONSyntaxError) {
            try skipping.skip()
            try skipping.finish()
        } catch {
            check(error, bytes)
            do throws(JSONSyntaxError) {
                _ = try PlacedJSON(parsing: bytes)
                precondition(bytes.starts(with: [0xEF, 0xBB, 0xBF]), "what is no JSON is read")
            } catch let other {
                let isSame = other == error || other.reason == .repeatedKey || bytes.first.map { $0 > 0x7F } == true
                precondition(isSame, "two faults: \(error), \(other)")
            }
            return
        }
        do throws(JSONSyntaxError) {
            let text = JSONValue(try PlacedJSON(parsing: bytes)).text(pretty: bytes.count.isMultiple(of: 2))
            precondition(text.unicodeScalars.allSatisfy { $0.isShowable || $0 == "\n" }, "JSON is fit to be shown")
            let again = JSONValue(try PlacedJSON(parsing: Array(text.utf8)))
            precondition(again.text(pretty: bytes.count.isMultiple(of: 2)) == text, "JSON reads as another: \(text)")
        } catch {
            precondition(error.reason == .repeatedKey, "what is skipped is not read: \(error)")
        }
    }

    private static func check(_ fault: JSONSyntaxError, _ bytes: [UInt8]) {
        precondition((0...bytes.count).contains(fault.offset), "the place is outside of the text: \(fault)")
        let place = fault.place(in: bytes)
        precondition(place.line >= 1 && place.column >= 1 && !fault.message.isEmpty)
    }

    /// Reports are the same machines and faults, however the file comes in.
    static func reports(_ bytes: [UInt8]) {
        let whole = items(bytes, pieces: max(bytes.count, 1))
        precondition(items(bytes, pieces: 7) == whole, "reports do not depend on where a file is cut")
    }

    private static func items(_ bytes: [UInt8], pieces: Int) -> [String] {
        var reports = SavedReports()
        var items: [String] = []
        func take(isEnd: Bool) {
            while let item = reports.next(isEnd: isEnd) {
                switch item {
                case .machine(let machine, let line): items.append("\(line): \(machine)")
                case .fault(let fault): items.append(fault)
                }
            }
        }
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            reports.append(Array(bytes[start..<min(start + pieces, bytes.count)]))
            take(isEnd: false)
        }
        take(isEnd: true)
        return items
    }

    static func token(_ bytes: [UInt8]) {
        do throws(AccessTokenAnswer.ReadingError) {
            _ = try AccessTokenAnswer(parsing: bytes)
        } catch {
            precondition(error.description.unicodeScalars.allSatisfy(\.isShowable), "an error is fit to be shown")
        }
    }
}

extension JSONValue {
    fileprivate init(_ json: PlacedJSON) {
        self =
            switch json.value {
            case .null: .null
            case .boolean(let value): .bool(value)
            case .number(let text): Int(text).map(JSONValue.integer) ?? Double(text).map(JSONValue.exact) ?? .null
            case .string(let text): .string(text)
            case .array(let elements): .array(elements.map { JSONValue($0) })
            case .object(let members): .object(members.map { Member(key: $0.key, value: JSONValue($0.value)) })
            }
    }
}
