import { expect } from "chai";
import { unixMillis } from "../../../base/units.ts";
import { Addresses } from "../../../bridge/client-side/addresses.ts";
import { NAMESPACES } from "../../../wsdl/namespaces.ts";
import { OnvifClient, PATHS, texts } from "../../support/onvif-client.ts";
import { type OnvifTestSite, startOnvifSite, UUID } from "../../support/onvif-site.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";

describe("the ONVIF device service", () => {
  const clock = new VirtualClock(unixMillis(Date.UTC(2026, 1, 3, 4, 5, 6, 789)));
  let site: OnvifTestSite;
  let client: OnvifClient;

  before(async () => {
    site = await startOnvifSite({ clock });
    client = new OnvifClient(site, await site.account());
  });
  after(() => site.close());

  it("tells the time in UTC to everybody", async () => {
    const { element } = await new OnvifClient(site).call("tds", "GetSystemDateAndTime");
    const [utc] = element.children[0]?.children.filter(({ name }) => name === "UTCDateTime") ?? [];
    const parts = ["Year", "Month", "Day", "Hour", "Minute", "Second"].map((name) => utc && texts(utc, name)[0]);
    expect(parts).to.deep.equal(["2026", "2", "3", "4", "5", "6"]);
  });

  it("says who it is", async () => {
    const { element } = await client.call("tds", "GetDeviceInformation");
    expect(element.children.map(({ name, text }) => [name, text])).to.deep.equal([
      ["Manufacturer", "Viaduct"],
      ["Model", "Viaduct"],
      ["FirmwareVersion", "1.2.3"],
      ["SerialNumber", UUID],
      ["HardwareId", "Viaduct"],
    ]);
    const reference = await client.call("tds", "GetEndpointReference");
    expect(texts(reference.element, "GUID")).to.deep.equal([`urn:uuid:${UUID}`]);
  });

  it("names every service that is there, at the address by which it was reached", async () => {
    const { element } = await client.call("tds", "GetServices", "<tds:IncludeCapability>true</tds:IncludeCapability>");
    expect(texts(element, "Namespace")).to.have.members(
      Object.keys(PATHS).map((prefix) => NAMESPACES[prefix as "tds"]),
    );
    expect(texts(element, "XAddr")).to.have.members(
      Object.values(PATHS).map((path) => `http://127.0.0.1:${site.port}/onvif/${path}`),
    );
    expect(element.children.every((one) => one.children.some(({ name }) => name === "Capabilities"))).to.equal(true);
    const short = await client.call("tds", "GetServices", "<tds:IncludeCapability>false</tds:IncludeCapability>");
    expect(texts(short.element, "Capabilities")).to.deep.equal([]);
  });

  it("tells older clients where the services are that they know", async () => {
    const { element } = await new OnvifClient(site).call("tds", "GetCapabilities");
    expect(texts(element, "XAddr").map((address) => new URL(address).pathname)).to.deep.equal([
      "/onvif/device_service",
      "/onvif/event_service",
      "/onvif/imaging_service",
      "/onvif/media_service",
      "/onvif/ptz_service",
    ]);
    const asked = "<tds:Category>Analytics</tds:Category>";
    const refused = await new OnvifClient(site).call("tds", "GetCapabilities", asked);
    expect(refused.fault).to.deep.include({ code: "Receiver", subcodes: ["ActionNotSupported", "NoSuchService"] });
  });

  it("does not promise what is not there", async () => {
    for (const prefix of ["trt", "tr2"] as const) {
      const content = `<${prefix}:ProfileToken>old</${prefix}:ProfileToken>`;
      const { fault, status } = await client.call(prefix, "GetSnapshotUri", content);
      expect(fault, prefix).to.deep.include({ code: "Receiver", subcodes: ["ActionNotSupported"] });
      expect(status).to.equal(500);
    }
    const { element } = await client.call("tds", "GetScopes");
    expect(texts(element, "ScopeItem").some((scope) => scope.includes("/Profile/"))).to.equal(false);
  });

  it("tells the interface and the ports that clients reach", async () => {
    const interfaces = await client.call("tds", "GetNetworkInterfaces");
    expect(texts(interfaces.element, "Address")).to.deep.equal(["127.0.0.1"]);
    expect(texts(interfaces.element, "PrefixLength")).to.deep.equal(["8"]);
    const { element } = await client.call("tds", "GetNetworkProtocols");
    expect(texts(element, "Name")).to.deep.equal(["HTTP", "HTTPS", "RTSP"]);
    expect(texts(element, "Port")).to.deep.equal([String(site.port), "8443", "8554"]);
  });

  it("is announced to discovery by the addresses of the interface that was asked", () => {
    const doors = { https: 8443, rtsps: 8322, rtsp: undefined };
    expect(new Addresses({ ...doors, http: undefined }).onvifAll("192.0.2.1")).to.deep.equal([
      "https://192.0.2.1:8443/onvif/device_service",
    ]);
    expect(new Addresses({ ...doors, http: 8080 }).onvifAll("192.0.2.1")).to.deep.equal([
      "http://192.0.2.1:8080/onvif/device_service",
      "https://192.0.2.1:8443/onvif/device_service",
    ]);
    const [device, ...others] = site.part.devices("192.0.2.1");
    expect(others).to.deep.equal([]);
    expect(device?.endpoint).to.equal(`urn:uuid:${UUID}`);
    expect(device?.types.map(({ name }) => name)).to.deep.equal(["NetworkVideoTransmitter", "Device"]);
    expect(device?.scopes).to.deep.equal([
      "onvif://www.onvif.org/name/Viaduct",
      "onvif://www.onvif.org/hardware/Viaduct",
      "onvif://www.onvif.org/type/video_encoder",
    ]);
  });
});
