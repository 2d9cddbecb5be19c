import { expect } from "chai";
import { readTopicFilter, TOPIC_DIALECTS } from "../../../onvif/server/topic-filter.ts";
import { NAMESPACES } from "../../../wsdl/namespaces.ts";
import { parseXml } from "../../../wsdl/parse-xml.ts";
import { printTopic, readTopic } from "../../../wsdl/topic.ts";
import type { XmlElement } from "../../../wsdl/xml.ts";

const [CONCRETE = "", SET = ""] = TOPIC_DIALECTS;
/** With prefixes of its own for the same namespaces. */
const expression = (text: string): XmlElement =>
  parseXml(`<a xmlns:x="${NAMESPACES.tns1}" xmlns:axis="urn:axis"><b>${text}</b></a>`).children[0] as XmlElement;

describe("a filter of topics", () => {
  const rows: readonly (readonly [text: string, dialect: string, matches: readonly string[] | undefined])[] = [
    ["x:VideoSource/MotionAlarm", CONCRETE, ["VideoSource/MotionAlarm"]],
    ["x:VideoSource/x:MotionAlarm", CONCRETE, ["VideoSource/MotionAlarm"]],
    [" x:VideoSource/MotionAlarm ", SET, ["VideoSource/MotionAlarm"]],
    ["x:VideoSource", SET, ["VideoSource"]],
    ["x:VideoSource//.", SET, ["VideoSource", "VideoSource/MotionAlarm", "VideoSource/SignalLoss"]],
    ["x:VideoSource/SignalLoss|x:Device//.", SET, ["VideoSource/SignalLoss", "Device/{urn:axis}Status"]],
    ["x:Device/axis:Status", SET, ["Device/{urn:axis}Status"]],
    ["axis:Status", SET, []],
    ["x:VideoSource|x:Device", CONCRETE, undefined],
    ["x:VideoSource//.", CONCRETE, undefined],
    ["tns1:VideoSource", SET, undefined],
    ["x:VideoSource//MotionAlarm", SET, undefined],
    ["x:*/MotionAlarm", SET, undefined],
    ["*", SET, undefined],
    ["", SET, undefined],
    ["x:VideoSource|", SET, undefined],
    [Array.from({ length: 65 }, () => "x:A").join("|"), SET, undefined],
    [`x:A${"/a".repeat(12)}`, SET, undefined],
    [`x:${"A".repeat(5000)}`, SET, undefined],
  ];
  const topics = ["VideoSource", "VideoSource/MotionAlarm", "VideoSource/SignalLoss", "Device/{urn:axis}Status"];
  for (const [text, dialect, matches] of rows)
    it(`"${text.slice(0, 50)}" in ${dialect.split("/").at(-1)} ${matches === undefined ? "is refused" : `means ${matches.join(", ")}`}`, () => {
      const filter = readTopicFilter(expression(text), dialect);
      expect(filter && topics.filter((topic) => filter.matches(topic.split("/")))).to.deep.equal(matches);
    });

  it("is printed so that it is read again, whatever the prefixes were", () => {
    for (const text of ["x:Device/axis:Status/Port", "axis:Status/x:A", "x:VideoSource/MotionAlarm"]) {
      const topic = readTopic(text, expression(text)) ?? [];
      const { text: printed, declarations } = printTopic(topic);
      const again = parseXml(`<a xmlns:tns1="${NAMESPACES.tns1}"${declarations}>${printed}</a>`);
      expect(readTopic(again.text, again)).to.deep.equal(topic);
    }
  });

  it("takes for steps what XML can name elements by, and nothing else", () => {
    for (const name of ["Bewegungsmelder-ß", "_x.1", "動體", "a·b", "\u{10000}a"]) {
      expect(readTopic(name, expression("")), name).to.deep.equal([`{}${name}`]);
      expect(parseXml(`<${name}/>`).name).to.equal(name);
    }
    for (const name of ["µ", "ª", "²a", "a²", "a\u00D7", "1a", "-a", ".a", "\u0300a", "a\u037E", "a:b:c"]) {
      expect(readTopic(name, expression("")), name).to.equal(undefined);
      expect(readTopic(`x:A/${name}`, expression("")), name).to.equal(undefined);
    }
  });
});
