import { expect } from "chai";
import { unixMillis } from "../../base/units.ts";
import { printMetadataStream } from "../../wsdl/metadata-stream.ts";
import { type Notification, printNotification } from "../../wsdl/notification.ts";
import { parseXml } from "../../wsdl/parse-xml.ts";
import { officialFolder, officialValidator } from "../support/official-schemas.ts";

const EVENT: Notification = {
  at: unixMillis(Date.UTC(2026, 10, 24, 13, 5, 9, 120)),
  topic: ["VideoSource", "SignalLoss"],
  operation: "Initialized",
  source: [["Source", "gate"]],
  data: [["State", "true"]],
};

describe("a document of a metadata stream", () => {
  const rows: readonly (readonly [what: string, events: readonly Notification[]])[] = [
    ["without news", []],
    ["with an event", [EVENT]],
    ["with several", [EVENT, { ...EVENT, operation: "Changed", topic: ["RecordingConfig", "{urn:other}JobState"] }]],
    ["with a value that wants to be more than that", [{ ...EVENT, source: [["Source", `"/><tt:PTZ a='`]] }]],
  ];
  for (const [what, events] of rows)
    it(`${what} is valid by ONVIF's schemas`, function () {
      officialFolder(this);
      expect(officialValidator()(printMetadataStream(events.map(printNotification)))).to.deep.equal([]);
    });

  it("that is wrong would be noticed", function () {
    officialFolder(this);
    const wrong = printMetadataStream([printNotification(EVENT)])
      .replace("<tt:Data>", "<tt:Date>")
      .replace("</tt:Data>", "</tt:Date>");
    expect(officialValidator()(wrong)).not.to.deep.equal([]);
  });

  it("is XML with the topic's prefix declared, and times in UTC", () => {
    const text = printMetadataStream([printNotification(EVENT)]);
    expect(parseXml(text).name).to.equal("MetadataStream");
    expect(text)
      .to.include('xmlns:tns1="http://www.onvif.org/ver10/topics"')
      .and.include(">tns1:VideoSource/SignalLoss<");
    expect(text).to.include('UtcTime="2026-11-24T13:05:09.120Z"');
  });
});
