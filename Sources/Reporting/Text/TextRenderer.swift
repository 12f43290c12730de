import Diagnosis
import JSON
import NetTypes
import Planning

/// The report for people: the verdict first, then what to act on, then what was measured and what was not.
///
/// Lines end in LF and never in a space, and no character but this style's own colours is a control character:
/// everything from outside passes ``RenderingStyle/shown(_:limit:)``.
package struct TextRenderer: Sendable {
    package var style: RenderingStyle

    package init(style: RenderingStyle) { self.style = style }

    /// Columns by which tables and paragraphs stand in from their titles.
    static let indent = 2

    package func text(of report: Report) -> String {
        let actionable = [Finding.Severity.error, .warning].flatMap { severity in
            report.findings.filter { $0.severity == severity }
        }
        var sections = [verdict(of: report), findings(actionable, title: "Findings")]
        if let interfaces = report.interfaces, report.subject == .candidates { sections.append(section(interfaces)) }
        if let candidates = report.candidates { sections.append(section(candidates)) }
        if let stun = report.stun { sections.append(section(stun)) }
        if let turn = report.turn { sections.append(section(turn)) }
        if let pairs = report.relayPairs, !pairs.isEmpty { sections.append(section(pairs)) }
        if let connect = report.connect { sections += self.sections(connect) }
        for record in report.nat ?? [] { sections.append(section(record)) }
        if let paths = report.paths { sections.append(section(paths)) }
        if let mesh = report.mesh { sections += section(mesh) }
        sections += [
            section(report.notMeasured),
            findings(report.findings.filter { $0.severity == .note }, title: "Notes"),
            lastLine(of: report),
        ]
        return sections.filter { !$0.isEmpty }
            .map { lines in lines.map { $0.trimmingTrailingSpaces + "\n" }.joined() }
            .joined(separator: "\n")
    }

    func title(_ text: String) -> String { style.coloured(text, .bold) }

    /// Lines of `text` after a label: the first beside it, the others below the first.
    func labelled(_ label: String, _ text: String, margin: Int = TextRenderer.indent) -> [String] {
        let lines = style.shown(text).wrapped(to: style.width - margin - label.columns)
        let hanging = String(repeating: " ", count: margin + label.columns)
        return lines.enumerated().map { index, line in
            (index == 0 ? String(repeating: " ", count: margin) + label : hanging) + line
        }
    }

    // MARK: Verdict

    private func verdict(of report: Report) -> [String] {
        let verdict = report.verdict
        let mark: Mark = verdict.isOK ? .good : .bad
        var lines = labelled(mark.text(style) + " ", verdict.summary, margin: 0)
        lines[0] = style.coloured(mark.text(style), mark.colour) + lines[0].dropFirst(mark.text(style).count)
        for family in verdict.families where !verdict.summary.contains(family.summary) {
            lines += labelled(family.family.name + "  ", family.summary)
        }
        if report.isInterrupted {
            lines += labelled("", "Interrupted: this is what was measured until then.")
        }
        return lines
    }

    // MARK: Findings

    private func findings(_ findings: [Finding], title: String) -> [String] {
        findings.isEmpty ? [] : [self.title(title)] + findings.flatMap(lines)
    }

    private func lines(of finding: Finding) -> [String] {
        let mark = finding.severity.mark
        let margin = String(repeating: " ", count: Self.indent)
        let label = mark.text(style) + " "
        var lines = labelled(label, "\(finding.severity.rawValue): \(finding.title) [\(finding.id)]")
        lines[0] =
            margin + style.coloured(mark.text(style), mark.colour) + lines[0].dropFirst(Self.indent + label.count - 1)
        let inner = Self.indent + label.columns
        for (index, evidence) in finding.evidence.enumerated() {
            lines += labelled(index == 0 ? "seen    " : "        ", evidence, margin: inner)
        }
        return lines + advice(finding.causes, finding.remedy, margin: inner)
    }

    /// The causes, numbered where there are several, and the remedy.
    func advice(_ causes: [String], _ remedy: String, margin: Int = TextRenderer.indent) -> [String] {
        let lines = causes.enumerated().flatMap { index, cause in
            let number = causes.count > 1 ? "\(index + 1). " : ""
            return labelled((index == 0 ? "likely  " : "        ") + number, cause, margin: margin)
        }
        return lines + (remedy.isEmpty ? [] : labelled("do      ", remedy, margin: margin))
    }

    // MARK: The end

    private func section(_ notMeasured: [NotMeasured]) -> [String] {
        if notMeasured.isEmpty { return [] }
        let table = TextTable(
            columns: ["what", "why"],
            rows: notMeasured.map {
                .init(
                    mark: .unknown, cells: [style.shown($0.what), $0.reason.words], remarks: [style.shown($0.detail)])
            })
        return [title("Not measured")] + table.lines(style)
    }

    private func lastLine(of report: Report) -> [String] {
        let limit = report.timeout == .zero ? "" : " of at most \(seconds(report.timeout)) s"
        let took = "\(seconds(report.duration)) s\(limit)"
        return style.shown("\(took); icecheck \(report.toolVersion); \(report.startedAt); \(report.command)")
            .wrapped(to: style.width)
    }

    private func seconds(_ duration: Duration) -> String { JSONValue.decimalText(duration.inSeconds) }
}

extension Finding.Severity {
    fileprivate var mark: Mark {
        switch self {
        case .error: .bad
        case .warning: .warning
        case .note: .note
        }
    }
}

extension NotMeasured.Reason {
    /// The reason as people read it.
    var words: String {
        switch self {
        case .noRoute: "no route"
        case .notSupported: "not supported"
        case .deadline, .interrupted, .excluded, .limit: rawValue
        }
    }
}
