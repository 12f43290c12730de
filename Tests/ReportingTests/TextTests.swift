import Reporting
import Testing

@Test func look() {
    for s in [
        RenderingStyle(width: 140), RenderingStyle(width: 80), RenderingStyle(width: 40, isUnicode: false),
        RenderingStyle(width: 100, isColoured: true),
    ] {
        print(Report.fixture.rendered(as: .text, style: s)); print("=========")
    }
    var r = Report.fixture; r.subject = .candidates; r.stun = nil
    print(r.rendered(as: .text, style: RenderingStyle()))
    print(Report.empty.rendered(as: .text, style: RenderingStyle()))
    print(Report.empty.rendered(as: .json, style: RenderingStyle()))
    print(Report.fixture.rendered(as: .sdp, style: RenderingStyle()))
    print(Report.fixture.rendered(as: .json, style: RenderingStyle()))
}
