import { expect } from "chai";
import { Fault, type FaultKind } from "../../../base/fault.ts";
import type { Call, Caller } from "../../../onvif/client/caller.ts";
import { profileOfStream } from "../../../onvif/client/media.ts";
import { parseXml } from "../../../wsdl/parse-xml.ts";
import { findPath } from "../../../wsdl/xml.ts";

const services = { media1: new URL("http://192.0.2.9/media"), media2: new URL("http://192.0.2.9/media2") };
const BOUNDS = { bytes: 10_000, depth: 10, elements: 100, declarations: 10 };

type Xml = `<${string}`;
/** What a camera answers to `GetProfiles` at a media service, and to `GetStreamUri` for a token: a refusal, or XML. */
type Answers = Readonly<Record<string, FaultKind | Xml>>;

function callerOf(answers: Answers): Caller {
  const call = async ({ prefix, operation, content = "" }: Call) => {
    const token = findPath(
      parseXml(`<a xmlns:trt="1" xmlns:tr2="2" xmlns:tt="3">${content}</a>`, BOUNDS),
      "ProfileToken",
    );
    const told = answers[operation === "GetProfiles" ? prefix : (token?.text ?? "")] ?? "invalid";
    if (!isXml(told)) throw new Fault(told, "as the test says");
    return { body: parseXml(told, BOUNDS), at: 0 };
  };
  return { call } as unknown as Caller;
}

const isXml = (told: FaultKind | Xml): told is Xml => told.startsWith("<");
const profiles = (...tokens: readonly string[]): Xml =>
  `<GetProfilesResponse>${tokens.map((token) => `<Profiles token="${token}"/>`).join("")}</GetProfilesResponse>`;
const uri = (address: string): Xml => `<GetStreamUriResponse><Uri>${address}</Uri></GetStreamUriResponse>`;

describe("the profile of a stream", () => {
  const rows: readonly (readonly [when: string, stream: string, answers: Answers, token: string | undefined])[] = [
    [
      "is the one with its address",
      "rtsp://192.0.2.9/live?ch=2",
      { tr2: profiles("a", "b"), a: uri("rtsp://10.0.0.1/live?ch=1"), b: uri("rtsp://10.0.0.1/live?ch=2") },
      "b",
    ],
    [
      "is known by path and query where the camera was moved to RTSPS and tells the address without",
      "rtsps://192.0.2.9:322/live?ch=2",
      { tr2: profiles("a", "b"), a: uri("rtsp://10.0.0.1:554/live?ch=1"), b: uri("rtsp://10.0.0.1:554/live?ch=2") },
      "b",
    ],
    [
      "is not one inside TLS at another port",
      "rtsps://192.0.2.9:322/live",
      { tr2: profiles("a"), a: uri("rtsps://192.0.2.9:323/live") },
      undefined,
    ],
    [
      "is found behind others whose address the camera refuses",
      "rtsp://192.0.2.9/live",
      { tr2: profiles("a", "b", "c"), a: "invalid", b: "denied", c: uri("rtsp://192.0.2.9/live") },
      "c",
    ],
    [
      "is found through Media 1 where Media 2 is refused",
      "rtsp://192.0.2.9/live",
      { tr2: "denied", trt: profiles("a"), a: uri("rtsp://192.0.2.9/live") },
      "a",
    ],
  ];
  for (const [when, stream, answers, token] of rows)
    it(when, async () => {
      const found = await profileOfStream(callerOf(answers), services, { ip: "192.0.2.9", stream: new URL(stream) });
      expect(found?.token).to.equal(token);
    });

  it("is not looked for any further when the camera falls silent or refuses the log-in", async () => {
    for (const kind of ["unavailable", "unauthenticated"] as const) {
      const caller = callerOf({ tr2: profiles("a", "b"), a: kind, b: uri("rtsp://192.0.2.9/live") });
      const o = { ip: "192.0.2.9", stream: new URL("rtsp://192.0.2.9/live") };
      const fault = await profileOfStream(caller, services, o).then(undefined, (error: Fault) => error);
      expect(fault).to.be.instanceOf(Fault).with.property("kind", kind);
    }
  });
});
