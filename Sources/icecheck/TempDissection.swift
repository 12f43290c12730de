import Dissection
import Reporting
extension Dissection { func rendered(as f: OutputFormat, style: RenderingStyle) -> String { "" } }
