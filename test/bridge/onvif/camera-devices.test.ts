import { expect } from "chai";
import * as fc from "fast-check";
import type { Grant } from "../../../auth/principal.ts";
import { Addresses } from "../../../bridge/client-side/addresses.ts";
import { cameraIdentity } from "../../../bridge/client-side/onvif/camera-device.ts";
import { CameraDevices } from "../../../bridge/client-side/onvif/camera-devices.ts";
import type { OnvifSite } from "../../../bridge/client-side/onvif/site.ts";
import { readNotification } from "../../../wsdl/notification.ts";
import { officialFolder, officialValidator } from "../../support/official-schemas.ts";
import { CAMERAS } from "../../support/onvif-cameras.ts";
import { OnvifClient, PATHS, type Reply, type ServicePrefix, texts } from "../../support/onvif-client.ts";
import { type OnvifLogin, type OnvifTestSite, startOnvifSite, UUID } from "../../support/onvif-site.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";

const shown = new Map([
  ["vms-2", "cameras"],
  ["vms-3", "bridge"],
] as const);

describe("the ONVIF device of a camera", () => {
  let clock: VirtualClock;
  let site: OnvifTestSite;
  let login: OnvifLogin;
  let gate: OnvifClient;
  const valid = officialValidator();
  const at = (camera: string, by: OnvifLogin | "nobody" = login): OnvifClient =>
    by === "nobody" ? new OnvifClient(site, undefined, "none", camera) : new OnvifClient(site, by, "sha-256", camera);

  beforeEach(async () => {
    clock = new VirtualClock();
    const own = [
      { camera: "yard", https: 8101, http: 8001 },
      { camera: "old", address: "10.2.0.21" },
    ];
    site = await startOnvifSite({ clock, cameraDevices: { discoverable: true, own, shown } });
    login = await site.account();
    gate = at("gate");
  });
  afterEach(() => site.close());

  async function ask(client: OnvifClient, ...request: Parameters<OnvifClient["call"]>): Promise<Reply> {
    const reply = await client.call(...request);
    expect(reply.fault, request[1]).to.equal(undefined);
    expect(valid(reply.body), request[1]).to.deep.equal([]);
    return reply;
  }

  it("is held against the official schemas", function () {
    officialFolder(this);
  });

  it("has an identity of its own, always the same", async () => {
    const { element } = await ask(gate, "tds", "GetDeviceInformation");
    const { uuid, mac, serial } = cameraIdentity(UUID, "gate");
    expect(texts(element, "SerialNumber")).to.deep.equal([serial]);
    expect(texts((await ask(gate, "tds", "GetEndpointReference")).element, "GUID")).to.deep.equal([`urn:uuid:${uuid}`]);
    const interfaces = (await ask(gate, "tds", "GetNetworkInterfaces")).element;
    expect(texts(interfaces, "HwAddress")).to.deep.equal([mac]);
    expect(texts(interfaces, "Address")).to.deep.equal(["127.0.0.1"]);
    expect(texts((await ask(gate, "tds", "GetScopes")).element, "ScopeItem")).to.include(
      "onvif://www.onvif.org/name/Gate",
    );
    // For ever: clients know a camera by these.
    expect({ uuid, mac, serial }).to.deep.equal({
      uuid: "6cc12a8e-3614-57ab-8dd1-abe65bc3be88",
      mac: "ce:5a:8f:7d:a2:b5",
      serial: "CE5A8F7DA2B5",
    });
  });

  it("has an identity that no other camera has, with a hardware address that nobody sells", () => {
    const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
    fc.assert(
      fc.property(id, id, (one, other) => {
        const [a, b] = [cameraIdentity(UUID, one), cameraIdentity(UUID, other)];
        expect(a.mac).to.match(/^[0-9a-f][26ae](:[0-9a-f]{2}){5}$/);
        expect(a.uuid).to.match(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        if (one !== other) expect([a.uuid, a.mac, a.serial]).not.to.have.any.members([b.uuid, b.mac, b.serial]);
      }),
    );
  });

  it("leads to services of its own, which are all there", async () => {
    const { element } = await ask(gate, "tds", "GetServices", "<tds:IncludeCapability>true</tds:IncludeCapability>");
    const paths = texts(element, "XAddr").map((address) => new URL(address).pathname);
    expect(paths).to.have.members(Object.values(PATHS).map((path) => `/onvif/camera/gate/${path}`));
    for (const prefix of Object.keys(PATHS) as ServicePrefix[]) await ask(gate, prefix, "GetServiceCapabilities");
    const capabilities = (await ask(gate, "tds", "GetCapabilities")).element;
    for (const address of texts(capabilities, "XAddr")) expect(address).to.include("/onvif/camera/gate/");
  });

  it("has this camera and no other, under the same tokens as at the bridge", async () => {
    const tokens = ({ element }: Reply, name: string): readonly string[] =>
      element.children.filter((child) => child.name === name).map(({ attributes }) => attributes[0]?.value ?? "");
    expect(tokens(await ask(gate, "trt", "GetProfiles"), "Profiles")).to.deep.equal(["gate"]);
    expect(tokens(await ask(gate, "tr2", "GetProfiles"), "Profiles")).to.deep.equal(["gate"]);
    expect(tokens(await ask(gate, "trt", "GetVideoSources"), "VideoSources")).to.deep.equal(["gate"]);
    expect(texts((await ask(gate, "trc", "GetRecordings")).element, "RecordingToken")).to.deep.equal(["gate"]);
    expect(texts((await ask(gate, "tse", "GetRecordingSummary")).element, "NumberRecordings")).to.deep.equal(["1"]);
    expect(tokens(await ask(gate, "tptz", "GetNodes"), "PTZNode")).to.deep.equal(["gate"]);
    const uri = `<trt:StreamSetup><tt:Stream>RTP-Unicast</tt:Stream><tt:Transport><tt:Protocol>RTSP</tt:Protocol></tt:Transport></trt:StreamSetup><trt:ProfileToken>gate</trt:ProfileToken>`;
    expect(texts((await ask(gate, "trt", "GetStreamUri", uri)).element, "Uri")).to.deep.equal([
      "rtsp://127.0.0.1:8554/live/gate",
    ]);
  });

  const foreign: readonly (readonly [ServicePrefix, string, (token: string) => string])[] = [
    ["trt", "GetProfile", (token) => `<trt:ProfileToken>${token}</trt:ProfileToken>`],
    ["tr2", "GetSnapshotUri", (token) => `<tr2:ProfileToken>${token}</tr2:ProfileToken>`],
    ["trc", "GetRecordingConfiguration", (token) => `<trc:RecordingToken>${token}</trc:RecordingToken>`],
    ["tse", "GetRecordingInformation", (token) => `<tse:RecordingToken>${token}</tse:RecordingToken>`],
    ["tptz", "GetStatus", (token) => `<tptz:ProfileToken>${token}</tptz:ProfileToken>`],
    ["timg", "GetImagingSettings", (token) => `<timg:VideoSourceToken>${token}</timg:VideoSourceToken>`],
  ];
  for (const [prefix, operation, content] of foreign)
    it(`answers ${prefix}:${operation} of another camera as of one that is not there`, async () => {
      const [other, none] = [
        await gate.call(prefix, operation, content("yard")),
        await gate.call(prefix, operation, content("nope")),
      ];
      expect(other.fault).to.deep.equal(none.fault);
      expect(other.fault).not.to.equal(undefined);
      expect(other.status).to.equal(none.status);
    });

  it("tells what happens to this camera, and nothing else", async () => {
    const made = await ask(gate, "tev", "CreatePullPointSubscription");
    const address = new URL(texts(made.element, "Address")[0] ?? "");
    expect(address.pathname).to.match(/^\/onvif\/camera\/gate\/subscription\//);
    for (const camera of ["yard", "gate"])
      site.bus.publish({
        camera,
        kind: "motion",
        topic: ["VideoSource", "MotionAlarm"],
        source: [["Source", camera]],
        data: [["State", "true"]],
        property: true,
      });
    const pull = "<tev:Timeout>PT0S</tev:Timeout><tev:MessageLimit>100</tev:MessageLimit>";
    const { element } = await ask(gate, "tev", "PullMessages", pull, false, address.pathname);
    const told = element.children.flatMap(
      (child) => readNotification(child, clock.now())?.source.map(([, value]) => value) ?? [],
    );
    expect(new Set(told)).to.deep.equal(new Set(["gate"]));
    expect(told.length).to.be.greaterThan(2);
    await ask(gate, "tev", "GetEventProperties");
  });

  it("is not told from that of a camera that is not there, without a log-in and with one that may not see it", async () => {
    const one = await site.account([{ right: "live", cameras: new Set(["gate"]), interfaces: "any" } satisfies Grant]);
    const plain = (camera: string, text: string): string =>
      text.replaceAll(camera, "CAMERA").replaceAll(cameraIdentity(UUID, camera).uuid, "UUID");
    const open = [
      "GetSystemDateAndTime",
      "GetCapabilities",
      "GetServiceCapabilities",
      "GetHostname",
      "GetEndpointReference",
      "GetWsdlUrl",
    ];
    for (const operation of [...open, "GetDeviceInformation", "GetScopes"])
      for (const by of ["nobody", one] as const) {
        if (by !== "nobody" && open.includes(operation)) continue;
        const [hidden, missing] = await Promise.all(
          ["yard", "nope"].map((camera) => at(camera, by).call("tds", operation)),
        );
        expect(plain("yard", hidden?.body ?? ""), operation).to.equal(plain("nope", missing?.body ?? ""));
        expect(hidden?.status).to.equal(missing?.status);
        if (by !== "nobody") expect(hidden?.fault?.subcodes).to.deep.equal(["NotAuthorized"]);
      }
    for (const path of [
      "/onvif/camera/yard/nothing",
      "/onvif/camera/nope/nothing",
      "/onvif/camera//device_service",
      "/onvif/camera/a%2fb/device_service",
    ])
      expect((await site.send({ path, body: "<a/>" })).status, path).to.equal(404);
  });

  it("takes the same work as that of a camera that is not there, also where its own clients have just asked", () => {
    const made: string[] = [];
    const devices = new CameraDevices({
      site: { device: { uuid: UUID } } as OnvifSite,
      cameras: () => [{ id: "gate", name: "Gate" }],
      own: [],
      shown: new Map(),
      services: (_, camera) => {
        made.push(camera);
        return [];
      },
    });
    for (const camera of ["gate", "nope", "gate", "nope"]) devices.services(camera);
    expect(made).to.deep.equal(["gate", "nope", "gate", "nope"]);
  });

  it("keeps the searches of its clients, whatever strangers ask for", async () => {
    const begun = await ask(gate, "tse", "FindRecordings", "<tse:Scope/><tse:KeepAliveTime>PT1M</tse:KeepAliveTime>");
    for (let count = 0; count < 100; count += 1) await at(`guess-${count}`, "nobody").call("tds", "GetHostname");
    const token = `<tse:SearchToken>${texts(begun.element, "SearchToken")[0]}</tse:SearchToken>`;
    const elsewhere = await new OnvifClient(site, login).call("tse", "GetRecordingSearchResults", token);
    expect(elsewhere.fault?.subcodes).to.include("InvalidToken");
    const { element } = await ask(gate, "tse", "GetRecordingSearchResults", token);
    expect(texts(element, "RecordingToken")).to.deep.equal(["gate"]);
  });

  it("is there for the accounts that are to see it, and that of the bridge for those who are to see that", async () => {
    const [cameras, bridge] = [await site.account(), await site.account()];
    expect([cameras.name, bridge.name]).to.deep.equal(["vms-2", "vms-3"]);
    const may = async (client: OnvifClient): Promise<boolean> =>
      (await client.call("tds", "GetDeviceInformation")).fault === undefined;
    expect(
      await Promise.all(
        [at("gate", cameras), new OnvifClient(site, cameras), at("gate", bridge), new OnvifClient(site, bridge)].map(
          may,
        ),
      ),
    ).to.deep.equal([true, false, false, true]);
  });

  it("is found by discovery, each at its address", () => {
    const devices = site.part.devices("192.0.2.1");
    expect(devices.length).to.equal(CAMERAS.length + 1);
    expect(new Set(devices.map(({ endpoint }) => endpoint)).size).to.equal(devices.length);
    const [, first, second, third] = devices;
    expect(first?.scopes).to.include("onvif://www.onvif.org/name/Gate");
    expect(first?.xaddrs).to.deep.equal([
      `http://192.0.2.1:${site.port}/onvif/camera/gate/device_service`,
      "https://192.0.2.1:8443/onvif/camera/gate/device_service",
    ]);
    expect(second?.xaddrs).to.deep.equal([
      "http://192.0.2.1:8001/onvif/device_service",
      "https://192.0.2.1:8101/onvif/device_service",
    ]);
    expect(third?.xaddrs).to.deep.equal([
      `http://10.2.0.21:${site.port}/onvif/device_service`,
      "https://10.2.0.21:8443/onvif/device_service",
    ]);
    const secure = new Addresses({ https: 8443, http: undefined, rtsps: 8322, rtsp: undefined });
    expect(secure.onvifAll("192.0.2.1", { camera: "gate" })).to.deep.equal([
      "https://192.0.2.1:8443/onvif/camera/gate/device_service",
    ]);
  });

  it("is not there where it was not switched on", async () => {
    const plain = await startOnvifSite({ clock });
    try {
      expect((await plain.send({ path: "/onvif/camera/gate/device_service", body: "<a/>" })).status).to.equal(404);
      expect(plain.part.devices("192.0.2.1")).to.have.length(1);
    } finally {
      await plain.close();
    }
  });
});
