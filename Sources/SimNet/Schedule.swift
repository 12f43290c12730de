/// What happens later, in the order of its time: a binary heap of small keys over slots that hold the rest.
///
/// What is due at the same nanosecond comes in the order in which it was added, timeouts after all else: an answer
/// that arrives just in time is in time.
struct Schedule<Element> {
    private struct Key {
        var at: Int64
        var order: UInt64
        var slot: Int

        static func < (left: Key, right: Key) -> Bool {
            left.at != right.at ? left.at < right.at : left.order < right.order
        }
    }

    private var heap: [Key] = []
    private var slots: [Element?] = []
    private var free: [Int] = []
    private var count: UInt64 = 0

    /// The time of the first, in nanoseconds.
    var next: Int64? { heap.first?.at }

    mutating func add(_ element: Element, at: Int64, isTimeout: Bool = false) {
        let slot: Int
        if let last = free.popLast() {
            slot = last
            slots[slot] = element
        } else {
            slot = slots.count
            slots.append(element)
        }
        count += 1
        heap.append(Key(at: at, order: count | (isTimeout ? 1 << 63 : 0), slot: slot))
        rise(heap.count - 1)
    }

    mutating func popFirst() -> Element? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            sink()
        }
        free.append(first.slot)
        return slots[first.slot].take()
    }

    private mutating func rise(_ start: Int) {
        var place = start
        let key = heap[place]
        while place > 0 {
            let parent = (place - 1) / 2
            guard key < heap[parent] else { break }
            heap[place] = heap[parent]
            place = parent
        }
        heap[place] = key
    }

    private mutating func sink() {
        var place = 0
        let key = heap[0]
        while true {
            var child = place * 2 + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
            guard heap[child] < key else { break }
            heap[place] = heap[child]
            place = child
        }
        heap[place] = key
    }
}
