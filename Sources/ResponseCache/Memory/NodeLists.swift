/// Doubly linked lists over small numbers: the links of node n stand at place n of two arrays, so that no node is an
/// object of its own. A node is in one list or in none. Everything but `nodes` is O(1).
package struct NodeLists: Sendable {
    /// Places 0 ..< `count` are the lists' own (each a ring through its place); node n has place `count` + n.
    private let count: Int
    private var next: [Int32]
    private var previous: [Int32]

    /// - Parameter lists: how many lists; their names are 0 ..< `lists`.
    package init(lists: Int) {
        precondition(lists > 0)
        count = lists
        next = (0..<Int32(lists)).map { $0 }
        previous = next
    }

    /// Makes room for one node more: the next number, in no list.
    package mutating func addNode() {
        let place = Int32(next.count)
        next.append(place)
        previous.append(place)
    }

    /// Puts an unlinked node first. O(1).
    package mutating func addToFront(_ node: Int, of list: Int) { link(count + node, after: list) }

    /// Puts an unlinked node last. O(1).
    package mutating func addToBack(_ node: Int, of list: Int) { link(count + node, after: Int(previous[list])) }

    /// Takes the node out of its list; nothing happens when it is in none.
    package mutating func unlink(_ node: Int) {
        let place = count + node
        let before = previous[place], after = next[place]
        next[Int(before)] = after
        previous[Int(after)] = before
        next[place] = Int32(place)
        previous[place] = Int32(place)
    }

    /// The first node of the list; nil when it is empty.
    package func first(of list: Int) -> Int? { node(next[list]) }
    /// The last node of the list; nil when it is empty.
    package func last(of list: Int) -> Int? { node(previous[list]) }
    /// The node behind this one.
    package func following(_ node: Int) -> Int? { self.node(next[count + node]) }
    /// The node before this one.
    package func preceding(_ node: Int) -> Int? { self.node(previous[count + node]) }
    /// Whether the node is in a list.
    package func isLinked(_ node: Int) -> Bool { Int(next[count + node]) != count + node }

    /// The nodes from front to back. O(n), for checks.
    package func nodes(of list: Int) -> [Int] {
        var nodes: [Int] = [], node = first(of: list)
        while let here = node {
            nodes.append(here)
            node = following(here)
        }
        return nodes
    }

    private func node(_ place: Int32) -> Int? { Int(place) < count ? nil : Int(place) - count }

    private mutating func link(_ place: Int, after before: Int) {
        precondition(Int(next[place]) == place, "the node is in a list already")
        let after = next[before]
        next[place] = after
        previous[place] = Int32(before)
        next[before] = Int32(place)
        previous[Int(after)] = Int32(place)
    }
}
