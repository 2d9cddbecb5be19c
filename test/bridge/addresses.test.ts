import { networkInterfaces } from "node:os";
import { expect } from "chai";
import { Addresses, hostOf, interfacesOf } from "../../bridge/client-side/addresses.ts";

describe("the addresses that clients are told", () => {
  const all = new Addresses({ https: 8443, http: 8080, rtsps: 8322, rtsp: 8554 });
  const secure = new Addresses({ https: 8443, http: undefined, rtsps: 8322, rtsp: undefined });

  it("are plain RTSP for people where it is switched on, for not every player speaks TLS", () => {
    expect(all.rtsp("live", "gate", "10.2.0.5")).to.equal("rtsp://10.2.0.5:8554/live/gate");
    expect(secure.rtsp("recorded", "gate", "10.2.0.5")).to.equal("rtsps://10.2.0.5:8322/recorded/gate");
    expect(all.rtsps("live", "gate", "10.2.0.5")).to.equal("rtsps://10.2.0.5:8322/live/gate");
  });

  it("keep an ONVIF client on TLS that came over TLS, and any client where plain HTTP is off", () => {
    expect(all.onvif("10.2.0.5", true)).to.equal("https://10.2.0.5:8443/onvif/device_service");
    expect(all.onvif("10.2.0.5", false)).to.equal("http://10.2.0.5:8080/onvif/device_service");
    expect(secure.onvif("10.2.0.5", false)).to.equal("https://10.2.0.5:8443/onvif/device_service");
    expect(all.web("10.2.0.5")).to.equal("https://10.2.0.5:8443/");
  });

  it("of RTSP in HTTP are those of the web service, as the client reached it", () => {
    const rows = [
      [{ host: "10.2.0.5", port: 8080, tls: false }, "http://10.2.0.5:8080/live/gate"],
      [{ host: "bridge.example", port: 443, tls: true }, "https://bridge.example:443/live/gate"],
      [{ host: "[fd00::2]", port: 8443, tls: true }, "https://[fd00::2]:8443/live/gate"],
    ] as const;
    for (const [base, address] of rows) expect(all.rtspInHttp("live", "gate", base)).to.equal(address);
  });

  it("are spelled as URLs have them", () => {
    const rows = [
      ["10.2.0.5", "10.2.0.5"],
      ["::ffff:10.2.0.5", "10.2.0.5"],
      ["fd00::2", "[fd00::2]"],
      ["::1", "[::1]"],
      // As it stands in the address by which a client has come.
      ["[::1]", "[::1]"],
    ] as const;
    for (const [address, host] of rows) {
      expect(hostOf(address)).to.equal(host);
      expect(new URL(all.web(address)).port).to.equal("8443");
    }
  });
});

describe("the interfaces that carry our addresses", () => {
  const system = Object.entries(networkInterfaces()).flatMap(([name, entries = []]) =>
    entries.map((entry) => ({ name, ...entry })),
  );

  it("are those of the named addresses", () => {
    for (const { address, name, mac, cidr } of system) {
      const prefixLength = Number(cidr?.split("/")[1]);
      expect(interfacesOf([address])).to.deep.include({ name, mac, address, prefixLength });
    }
    expect(interfacesOf(["198.51.100.1"])).to.deep.equal([]);
    expect(interfacesOf([])).to.deep.equal([]);
  });

  it("are all but loopback where every address is served", () => {
    const outer = system.filter(({ internal }) => !internal).map(({ address }) => address);
    for (const any of ["0.0.0.0", "::"]) expect(interfacesOf([any]).map(({ address }) => address)).to.deep.equal(outer);
  });
});
