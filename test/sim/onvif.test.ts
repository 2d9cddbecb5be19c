import { expect } from "chai";
import { systemClock } from "../../base/clock.ts";
import { silentLog } from "../../base/log.ts";
import { Secret } from "../../base/secret.ts";
import { describeCamera } from "../../onvif/client/camera.ts";
import type { SimCamera } from "../../sim/camera-options.ts";
import { officialFolder, officialValidator } from "../support/official-schemas.ts";
import { VirtualClock } from "../support/virtual-clock.ts";
import { adopt, CREDENTIALS, LOGIN, side, startCamera } from "./fixture.ts";
import { askSoap } from "./raw.ts";

type Service = "tds" | "trt" | "tr2" | "tev" | "wsnt";

const PROFILE = (prefix: string): string => `<${prefix}:ProfileToken>main</${prefix}:ProfileToken>`;

/** Every operation but those that need a pull point. */
const OPERATIONS: readonly (readonly [prefix: Service, operation: string, content?: string])[] = [
  ["tds", "GetSystemDateAndTime"],
  ["tds", "GetServices", "<tds:IncludeCapability>false</tds:IncludeCapability>"],
  ["tds", "GetServices", "<tds:IncludeCapability>true</tds:IncludeCapability>"],
  ["tds", "GetServiceCapabilities"],
  ["tds", "GetCapabilities"],
  ["tds", "GetCapabilities", "<tds:Category>Media</tds:Category>"],
  ["tds", "GetCapabilities", "<tds:Category>PTZ</tds:Category>"],
  ["tds", "GetDeviceInformation"],
  ["tds", "GetScopes"],
  ["tds", "GetHostname"],
  ["tds", "GetEndpointReference"],
  ["tds", "GetDiscoveryMode"],
  ["tds", "GetNetworkInterfaces"],
  ["tds", "GetNetworkProtocols"],
  ["tds", "GetUsers"],
  ["tds", "SystemReboot"],
  ["trt", "GetServiceCapabilities"],
  ["trt", "GetProfiles"],
  ["trt", "GetProfile", PROFILE("trt")],
  ["trt", "GetProfile", "<trt:ProfileToken>none</trt:ProfileToken>"],
  ["trt", "GetStreamUri", PROFILE("trt")],
  ["trt", "GetVideoSources"],
  ["trt", "GetAudioSources"],
  ["trt", "GetVideoSourceConfigurations"],
  ["trt", "GetVideoEncoderConfigurations"],
  ["trt", "SetSynchronizationPoint", PROFILE("trt")],
  ["tr2", "GetServiceCapabilities"],
  ["tr2", "GetProfiles"],
  ["tr2", "GetStreamUri", PROFILE("tr2")],
  ["tr2", "GetVideoSourceConfigurations"],
  ["tr2", "GetVideoEncoderConfigurations"],
  ["tr2", "SetSynchronizationPoint", PROFILE("tr2")],
  ["tev", "GetServiceCapabilities"],
  ["tev", "GetEventProperties"],
];
const FAULTS: Readonly<Record<string, string>> = {
  "<tds:Category>PTZ</tds:Category>": "NoSuchService",
  "<trt:ProfileToken>none</trt:ProfileToken>": "NoProfile",
  SystemReboot: "ActionNotSupported",
};
const PATHS: Readonly<Record<Service, string>> = {
  tds: "device_service",
  trt: "media_service",
  tr2: "media2_service",
  tev: "event_service",
  wsnt: "event_service",
};

describe("the simulated camera's ONVIF services", () => {
  let clock: VirtualClock;
  let camera: SimCamera;

  beforeEach(async () => {
    clock = new VirtualClock();
    camera = await startCamera({ name: "Gate <1> & more", audio: true, clock });
  });
  afterEach(() => camera.close());

  const at = (service: Service): string => camera.deviceUrl.replace("device_service", PATHS[service]);
  const bodyOf = (answer: string): string => answer.slice(answer.indexOf("\n") + 1);

  for (const [prefix, operation, content = ""] of OPERATIONS)
    it(`answer ${prefix}:${operation} ${content} as the schemas say`, async () => {
      const problems = officialValidator();
      const answer = await askSoap(at(prefix), prefix, operation, content);
      const fault = FAULTS[content] ?? FAULTS[operation];
      expect(answer).to.include(fault === undefined ? `${operation}Response` : fault);
      expect(problems(bodyOf(answer))).to.deep.equal([]);
    });

  it("are compared with the official files", function () {
    officialFolder(this);
  });

  it("want a login for all that is not for everybody, and say so as the schemas say", async () => {
    const problems = officialValidator();
    const open = new Set<string>();
    for (const [prefix, operation] of OPERATIONS) {
      const answer = await askSoap(at(prefix), prefix, operation, "", "open");
      if (answer.startsWith("401")) {
        expect(answer).to.include("NotAuthorized").and.include("Digest realm=");
        expect(problems(bodyOf(answer))).to.deep.equal([]);
      } else open.add(operation);
    }
    expect([...open].toSorted()).to.deep.equal([
      "GetCapabilities",
      "GetEndpointReference",
      "GetHostname",
      "GetServiceCapabilities",
      "GetServices",
      "GetSystemDateAndTime",
    ]);
  });

  it("answer 400 to what is no SOAP, and 405 to a GET", async () => {
    const post = (body: string): Promise<number> =>
      fetch(camera.deviceUrl, { method: "POST", body }).then(({ status }) => status);
    expect(await post("")).to.equal(400);
    expect(await post("<x/>")).to.equal(400);
    expect(await post("x".repeat(100_000))).to.equal(400);
    expect((await fetch(camera.deviceUrl)).status).to.equal(405);
  });

  it("tell the motion alarm's state at once, then its changes, and end when asked", async () => {
    const problems = officialValidator();
    const seen: string[] = [];
    const ask = async (url: string, prefix: Service, operation: string, content = ""): Promise<string> => {
      const answer = await askSoap(url, prefix, operation, content);
      expect(problems(bodyOf(answer)), operation).to.deep.equal([]);
      for (const [, kind, state] of answer.matchAll(/PropertyOperation="(\w+)".*?Name="State" Value="(\w+)"/g))
        seen.push(`${kind} ${state}`);
      return answer;
    };
    const created = await ask(at("tev"), "tev", "CreatePullPointSubscription");
    const point = /<wsa:Address>(.*?)<\/wsa:Address>/.exec(created)?.[1] ?? "";
    const pull = (): Promise<string> =>
      ask(point, "tev", "PullMessages", "<tev:Timeout>PT20S</tev:Timeout><tev:MessageLimit>10</tev:MessageLimit>");
    await pull();
    expect(seen).to.deep.equal(["Initialized false"]);
    for (let change = 0; change < 2; change += 1) {
      const held = pull();
      const before = seen.length;
      while (seen.length === before) await clock.advance(500);
      await held;
    }
    await ask(point, "tev", "SetSynchronizationPoint");
    await pull();
    expect(seen).to.deep.equal(["Initialized false", "Changed true", "Changed false", "Initialized false"]);
    await ask(point, "wsnt", "Renew", "<wsnt:TerminationTime>PT10M</wsnt:TerminationTime>");
    await ask(point, "wsnt", "Unsubscribe");
    expect(await askSoap(point, "tev", "PullMessages")).to.include("NoSubscription");
  });

  it("forget pull points that nobody renews, and have eight at most", async () => {
    for (let count = 0; count < 8; count += 1)
      expect(await askSoap(at("tev"), "tev", "CreatePullPointSubscription")).to.match(/^200/);
    expect(await askSoap(at("tev"), "tev", "CreatePullPointSubscription"))
      .to.match(/^500/)
      .and.include("MaxSubscriptions");
    await clock.advance(61_000);
    expect(await askSoap(at("tev"), "tev", "CreatePullPointSubscription")).to.match(/^200/);
  });
});

describe("a simulated camera", () => {
  let camera: SimCamera;
  before(async () => {
    camera = await startCamera({ name: "Gate <1> & more", audio: true });
  });
  after(() => camera.close());

  it("is adopted with its name, and described in full", async () => {
    const adopted = await adopt(camera);
    expect(adopted).to.deep.include({ name: "Gate <1> & more", manufacturer: "Viaduct", model: "Simulated camera" });
    expect(adopted.streams.map(({ name, url }) => [name, url.href])).to.deep.equal([
      ["main", camera.rtspUrl],
      ["sub", camera.subUrl],
    ]);
    const begun = systemClock.monotonic();
    const described = await describeCamera({
      xaddrs: [camera.deviceUrl],
      ip: new URL(camera.deviceUrl).hostname,
      credentials: CREDENTIALS,
      side,
      clock: systemClock,
      log: silentLog(),
    });
    expect(described.mac).to.match(/^02:/);
    // It tells whole seconds, and the answer is on its way for a part of the time that this took.
    const tookMs = systemClock.monotonic() - begun;
    expect(described.clockOffsetMs).to.be.within(-1500 - tookMs, 1500 + tookMs);
    expect(described.profiles.map(({ video, audio }) => [video, audio])).to.deep.equal([
      [{ encoding: "H264", width: 640, height: 360 }, { encoding: "PCMU" }],
      [{ encoding: "H264", width: 320, height: 180 }, { encoding: "PCMU" }],
    ]);
  });

  it("refuses a wrong password and a wrong user", async () => {
    for (const credentials of [
      { user: LOGIN.user, password: new Secret("wrong") },
      { user: "somebody", password: CREDENTIALS.password },
    ]) {
      const fault = await adopt(camera, credentials).catch((error: unknown) => error);
      expect(fault).to.include({ kind: "unauthenticated" });
    }
  });
});
