import NetTypes

/// What is to happen, the earliest first; of two at one instant, the one that was added first. A binary heap.
struct EventQueue<Element: Sendable>: Sendable {
    private struct Item {
        var at: Instant
        var order: Int
        var element: Element

        static func < (left: Item, right: Item) -> Bool { (left.at, left.order) < (right.at, right.order) }
    }

    private var heap: [Item] = []
    private var added = 0

    var nextAt: Instant? { heap.first?.at }

    mutating func add(_ element: Element, at instant: Instant) {
        added += 1
        heap.append(Item(at: instant, order: added, element: element))
        var child = heap.count - 1
        while child > 0, heap[child] < heap[(child - 1) / 2] {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func popFirst() -> Element? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        if heap.isEmpty { return first.element }
        heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child] < heap[least] {
                least = child
            }
            if least == parent { return first.element }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
