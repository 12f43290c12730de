import Signaling
import Testing

struct SetupRoleTests {
    @Test(
        "an answer begins DTLS where it may choose, and else does what is left (RFC 8842 s5.3)",
        arguments: [
            (SetupRole.actpass, SetupRole.active), (.active, .passive), (.passive, .active), (.holdconn, .holdconn),
        ])
    func answers(_ offered: SetupRole, _ answered: SetupRole) {
        #expect(offered.answer == answered)
    }
}
