"""`icecheck predict` from saved reports: one against the classes of peer, two, and meshes."""

import json

import pytest
from harness.running import assert_safe

MAPPINGS = FILTERINGS = ("endpoint-independent", "address-dependent", "address-and-port-dependent")


def machine(mapping, filtering, number=1, turn=None, hairpin="none", network="10.0.0", outside=None, **more):
    """A report of a machine behind a NAT, or behind none where it maps nothing; `turn` is a transport."""
    local = f"{network}.{number}" if mapping != "none" else f"203.0.113.{number}"
    mapped = f"{outside or f'198.18.0.{number}' if mapping != 'none' else local}:5000"
    server = "198.51.100.1:3478"
    stun = {"server": "stun:a", "transport": "udp", "family": "ipv4", "serverAddress": server, "ok": True,
            "mappedAddress": mapped, "localAddress": f"{local}:5000", "attempts": 1}  # fmt: skip
    report = {
        "schema": "icecheck/report/1",
        "command": "icecheck check stun:a",
        "interfaces": [{"name": "eth0", "addresses": [{"address": local, "prefixLength": 24}]}],
        "candidates": [{"type": "host", "transport": "udp", "address": local, "port": 5000, "offered": True}],
        "stun": [stun],
        "nat": [{"family": "ipv4", "transport": "udp", "mappedAddress": mapped, "answers": 9,
                 "mapping": {"value": mapping}, "filtering": {"value": filtering},
                 "hairpin": {"value": hairpin}}],  # fmt: skip
    }
    if turn:
        report["turn"] = [{"server": "turn:a", "transport": turn, "family": "ipv4", "serverAddress": server, "ok": True,
                           "stage": "relay", "relayedAddress": "198.51.100.9:49152"}]  # fmt: skip
    return report | more


CONE = ("endpoint-independent", "address-and-port-dependent")
SYMMETRIC = ("address-and-port-dependent", "address-and-port-dependent")


@pytest.fixture
def saved(tmp_path):
    def save(name, *reports, indent=None):
        path = tmp_path / name
        path.write_text("\n".join(json.dumps(report, indent=indent) for report in reports) + "\n")
        return path

    return save


@pytest.mark.parametrize(
    "one, other, outcome, status",
    [
        (machine(*CONE), machine(*CONE, 2), "direct", 0),
        (machine(*SYMMETRIC), machine(*CONE, 2), "none", 1),
        (machine(*SYMMETRIC, turn="udp"), machine(*CONE, 2), "relayed", 0),
        (machine(*SYMMETRIC), machine("none", "none", 2), "direct", 0),
        (machine(*SYMMETRIC), machine(*SYMMETRIC, 2, turn="tls"), "relayed", 0),
        # One network behind one NAT, and two with and without a hairpin.
        (machine(*CONE, outside="198.18.9.9"), machine(*CONE, 2, outside="198.18.9.9"), "direct", 0),
        (machine(*CONE, outside="198.18.9.9"), machine(*CONE, 2, outside="198.18.9.9", network="10.0.1"), "none", 1),
        (machine(*CONE, outside="198.18.9.9", hairpin="external-source"),
         machine(*CONE, 2, outside="198.18.9.9", network="10.0.1", hairpin="external-source"), "direct", 0),
    ],
)  # fmt: skip
def test_two_reports_give_the_path_between_them(run, saved, tmp_path, one, other, outcome, status):
    first, second = (saved(name, made, indent=2).name for name, made in (("one.json", one), ("other.json", other)))
    done = run("predict", first, second, "--format", "json", cwd=tmp_path)
    assert done.status == status, done.describe()
    (path,) = done.report["paths"]
    assert (path["from"], path["peer"], path["outcome"]) == (first, second, outcome)
    assert ("why" in path) == (outcome != "direct")
    assert ("local" in path and "setupMs" in path) == (outcome != "none")
    assert ("relayed" in (path["local"]["type"], path["remote"]["type"]) if "local" in path else False) == (
        outcome == "relayed"
    )
    reversed_path = run("predict", second, first, "--format", "json", cwd=tmp_path).report["paths"][0]
    assert reversed_path["outcome"] == outcome


def test_one_report_is_held_against_the_classes_of_peer(run, saved):
    report = run("predict", saved("one.json", machine(*SYMMETRIC)), "--format", "json").report
    paths = {(path["peer"], path["peerTurn"]): path for path in report["paths"]}
    assert len(paths) == 30
    assert paths["public-host", False]["outcome"] == "direct"
    for mapping in MAPPINGS:
        for filtering in FILTERINGS:
            path = paths[f"nat/{mapping}/{filtering}", False]
            is_direct = mapping == "endpoint-independent" and filtering != "address-and-port-dependent"
            assert path["outcome"] == ("direct" if is_direct else "none")
            path = paths[f"nat/{mapping}/{filtering}", True]
            assert path["outcome"] == ("direct" if is_direct else "relayed")
    assert paths["udp-blocked", False]["outcome"] == "none"
    assert paths["udp-blocked", True]["outcome"] == "relayed"


def test_what_a_report_does_not_say_is_run_both_ways(run, saved):
    unknown = machine("endpoint-independent", "unknown")
    done = run("predict", saved("one.json", unknown), saved("two.json", machine(*SYMMETRIC, 2)), "--format", "json")
    (path,) = done.report["paths"]
    assert done.status == 1 and path["outcome"] == "none" and path["possible"] == ["direct", "none"]
    (reason,) = path["dependsOn"]
    assert reason == "what the NAT or firewall of one.json lets in (IPv4)"
    assert "depends on what the NAT or firewall" in " ".join(run("predict", *done.arguments[1:3]).text.split())


def test_a_mesh_says_who_reaches_whom_and_what_a_call_costs(run, saved):
    machines = [machine(*CONE, number) for number in (1, 2)] + [machine(*SYMMETRIC, 3), machine(*SYMMETRIC, 4, turn="udp")]
    path = saved("all.jsonl", *machines)
    done = run("predict", path, "--format", "json", "--sfu", "--bitrate", "1000")
    mesh = done.report["mesh"]
    # Cone with cone directly; the one with a relay reaches all; the other reaches no cone.
    assert mesh["pairs"] == {"count": 6, "direct": 1, "relayed": 3, "none": 2, "uncertain": 0}
    assert done.status == 1
    assert sorted(kind["count"] for kind in mesh["kinds"]) == [1, 1, 2]
    assert mesh["call"] == {"participants": 4, "bitrateKbps": 1000, "streams": 12, "relayedStreams": 6,
                            "missingStreams": 4, "relayBandwidthKbps": 6000}  # fmt: skip
    assert mesh["sfu"]["machines"] == {"count": 4, "direct": 4, "relayed": 0, "none": 0, "uncertain": 0}
    assert mesh["sfu"]["call"]["relayBandwidthKbps"] == 0
    assert len(done.report["paths"]) == 6
    counted = [path["outcome"] for path in done.report["paths"]]
    assert (counted.count("direct"), counted.count("relayed"), counted.count("none")) == (1, 3, 2)
    text = run("predict", path)
    assert_safe(text)
    assert "6 pairs: 1 direct, 3 relayed, 2 without a path" in text.text


def test_machines_behind_one_nat_are_counted_as_neighbours(run, saved):
    office = [machine(*SYMMETRIC, number, outside="198.18.9.9") for number in range(1, 21)]
    home = [machine(*SYMMETRIC, number, outside=f"198.18.8.{number}") for number in range(1, 11)]
    mesh = run("predict", saved("all.jsonl", *office, *home), "--format", "json").report["mesh"]
    assert mesh["sameNatPairs"] == 190 and mesh["pairs"]["direct"] == 190 and mesh["pairs"]["none"] == 245
    assert len(mesh["kinds"]) == 1


def test_a_folder_a_file_of_lines_and_standard_input_are_alike(run, saved, tmp_path):
    machines = [machine(*CONE, number) for number in range(1, 15)]
    lines = saved("all.jsonl", *machines)
    folder = tmp_path / "folder"
    folder.mkdir()
    for number, report in enumerate(machines):
        (folder / f"{number}.json").write_text(json.dumps(report, indent=2))
    (folder / "notes.txt").write_text("no report")
    with lines.open("rb") as stream:
        outcomes = [run("predict", lines, "--format", "json"), run("predict", folder, "--format", "json"),
                    run("predict", "-", "--format", "json", stdin=stream)]  # fmt: skip
    assert [outcome.status for outcome in outcomes] == [0, 0, 0]
    assert len({json.dumps(outcome.report["mesh"]["pairs"]) for outcome in outcomes}) == 1
    assert outcomes[0].report["mesh"]["pairs"]["direct"] == 91


def test_what_is_no_report_is_told_by_its_place_and_the_rest_goes_on(run, saved, tmp_path):
    good = [saved(f"{number}.json", machine(*CONE, number)) for number in (1, 2)]
    broken = tmp_path / "broken\x1b[31m.json"
    broken.write_text('{\n  "schema": "icecheck/report/1",\n  "stun": [}\n')
    (tmp_path / "empty.json").write_text("")
    done = run("predict", good[0], broken, tmp_path / "empty.json", tmp_path / "none.json", good[1], "--format", "json")
    assert done.status == 1 and done.report["paths"][0]["outcome"] == "direct"
    lines = done.errors.decode().splitlines()
    assert len(lines) == 3
    assert "line 3, column 12: " in lines[0] and "broken" in lines[0]
    assert "it is empty" in lines[1] and "No such file" in lines[2]
    assert_safe(done)
    nothing = run("predict", broken)
    assert nothing.status == 64 and nothing.output == b""


@pytest.mark.parametrize(
    "arguments", [[], ["x.json", "--bitrate", "0"], ["x.json", "--participants", "1"], ["x.json", "--format", "sdp"]]
)
def test_a_wrong_command_line_is_told(run, arguments):
    done = run("predict", *arguments)
    assert done.status == 64 and done.output == b"" and done.errors.count(b"\n") == 1


@pytest.mark.parametrize(
    "text",
    [b"[" * 2_000_000, b'{"a":"' + b"x" * 6_000_000, b"\xff\xfe\x00" * 100_000, b"{" * 300_000, b"{\n" * 300_000],
    ids=["lists", "a long string", "no text", "objects", "lines"],
)
def test_hostile_files_end_soon_and_take_little(run, tmp_path, text):
    path = tmp_path / "hostile.json"
    path.write_bytes(text)
    done = run("predict", path)
    assert done.status == 64 and done.unhindered < 10 and done.peak_bytes < 100e6
    assert len(done.errors) < 100_000
    assert_safe(done)


def test_a_check_says_which_paths_it_would_have(run):
    report = run("check", "127.0.0.1:9", "--timeout", "0.3", "--format", "json").report
    assert {"peer", "peerTurn", "outcome"} <= set(report["paths"][0])
    assert {path["outcome"] for path in report["paths"]} <= {"direct", "relayed", "none"}
