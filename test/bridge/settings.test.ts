import { expect } from "chai";
import { portRangeOf, settingsJsonSchema, settingsSchema } from "../../bridge/settings.ts";

const least = {
  dataFolder: "/tmp/x",
  cameraSide: { interfaces: ["10.1.0.0/24"] },
  clientSide: { addresses: ["10.2.0.5"] },
};

describe("the settings", () => {
  const settings = settingsSchema.parse(least);

  it("open no plain protocol and no discovery by default", () => {
    expect(settings.clientSide.rtsp.enabled).to.equal(false);
    expect(settings.clientSide.udp.enabled).to.equal(false);
    expect(settings.clientSide.srtp.enabled).to.equal(false);
    expect(settings.clientSide.multicast.enabled).to.equal(false);
    expect(settings.clientSide.onvifHttp.enabled).to.equal(false);
    expect(settings.clientSide.discovery.enabled).to.equal(false);
  });

  it("bind nothing that is not named", () => {
    for (const addresses of [undefined, []])
      expect(settingsSchema.safeParse({ ...least, clientSide: { addresses } }).success).to.equal(false);
    expect(settingsSchema.safeParse({ ...least, cameraSide: { interfaces: [] } }).success).to.equal(false);
  });

  it("take UDP ports as a range, and nothing that is none", () => {
    const withPorts = (ports: string) =>
      settingsSchema.safeParse({ ...least, clientSide: { ...least.clientSide, udp: { ports } } });
    expect(withPorts("50000-50999").success).to.equal(true);
    expect(portRangeOf("50000-50999")).to.deep.equal({ first: 50_000, last: 50_999 });
    for (const ports of ["50000", "50000-50000", "50999-50000", "80-90", "50000-70000", "-", "1e4-2e4", "a-b"])
      expect(withPorts(ports).success, ports).to.equal(false);
  });

  const withMulticast = (multicast: object, rtsp = { enabled: true }) =>
    settingsSchema.safeParse({
      ...least,
      clientSide: { ...least.clientSide, rtsp, multicast: { enabled: true, ...multicast } },
    });

  it("take multicast groups as a range of the network's own, and ports that are enough", () => {
    for (const right of [{}, { groups: "239.1.2.3" }, { groups: "224.0.1.0/24" }, { port: 1024 }, { ttl: 255 }])
      expect(withMulticast(right).success, JSON.stringify(right)).to.equal(true);
    const wrong = [
      ...["224.0.0.0/24", "10.0.0.0/8", "224.0.0.0/4", "ff15::/64", "239.1.2.3/33", "240.0.0.1", "x"].map((groups) => ({
        groups,
      })),
      { port: 20_001 },
      { port: 60_000 },
      { ttl: 0 },
    ];
    for (const one of wrong) expect(withMulticast(one).success, JSON.stringify(one)).to.equal(false);
  });

  it("have no multicast without the plain RTSP that it is for", () => {
    expect(withMulticast({}, { enabled: false }).error?.message).to.include("plain RTSP");
  });

  it("have a JSON Schema that describes every field at the top", () => {
    const schema = settingsJsonSchema() as { properties: Record<string, unknown>; required: string[] };
    expect(Object.keys(schema.properties)).to.include.members(Object.keys(settings));
    expect(schema.required).to.have.members(["dataFolder", "cameraSide", "clientSide"]);
  });
});
