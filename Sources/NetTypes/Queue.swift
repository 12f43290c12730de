/// First in, first out, in amortised constant time.
package struct Queue<Element> {
    package init() {}

    private var elements: [Element] = []
    private var head = 0

    package var isEmpty: Bool { head == elements.count }

    /// What ``popFirst()`` would give.
    package var first: Element? { isEmpty ? nil : elements[head] }

    package mutating func append(_ element: Element) { elements.append(element) }

    package mutating func popFirst() -> Element? {
        guard head < elements.count else { return nil }
        defer {
            head += 1
            if head == elements.count {
                elements.removeAll(keepingCapacity: true)
                head = 0
            } else if head >= 64, head * 2 >= elements.count {
                elements.removeFirst(head)
                head = 0
            }
        }
        return elements[head]
    }
}

extension Queue: Sendable where Element: Sendable {}
