import Diagnosis
import Engines
import NetTypes
import Planning

@testable import Prediction
@testable import Reporting

extension Report {
    private static func predicted(_ paths: [PathRecord]?, _ mesh: Mesh?) -> Report {
        Report(
            subject: .predict, toolVersion: "0.1.0", startedAt: "2026-01-02T03:04:05Z", duration: .milliseconds(12),
            command: "icecheck predict a.json", timeout: .zero, verdict: Verdict(paths: paths ?? [], mesh: mesh),
            paths: paths, mesh: mesh, findings: [])
    }

    private static func machine(
        _ mapping: NATDependence, _ filtering: NATDependences, _ relays: RelayKind = .none
    ) -> MachineModel {
        MachineModel(
            MachineKind(
                ipv4: NetworkKind(mapping: NATDependences(mapping), filtering: filtering), ipv6: .absent, relays: relays
            ))
    }

    static var strict: MachineModel {
        machine(.addressAndPortDependent, NATDependences(.addressAndPortDependent))
    }
    static var doubtful: MachineModel { machine(.endpointIndependent, .translated) }

    /// One machine with the classes of peer, and with another of which not all is known.
    static var pathFixture: Report {
        var predictor = Predictor()
        var paths = PathRecord.toClasses(from: strict, report: "a\u{1b}.json", &predictor)
        let pair = predictor.predict(strict, doubtful)
        paths.append(PathRecord(from: "a.json", peer: .report("b\u{7}.json"), prediction: pair))
        return predicted(paths, nil)
    }

    static var meshFixture: Report {
        var census = MeshCensus()
        census.add(strict, name: "a.json")
        census.add(strict, name: "b.json")
        census.add(doubtful, name: "c.json")
        census.add(machine(.endpointIndependent, .translated, .overStreams), name: "d.json")
        return predicted(nil, Mesh(census, .init(bitrate: 500, participants: 3, asksStar: true)))
    }
}
