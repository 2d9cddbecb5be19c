import type { NetworkInterfaceInfo } from "node:os";
import { expect } from "chai";
import * as fc from "fast-check";
import { plainAddress } from "../../base/address.ts";
import { Fault, isFault } from "../../base/fault.ts";
import { type CameraSideSettings, cameraSide, pinnedToHost } from "../../net/sides.ts";

const nic = (address: string, prefix: number): NetworkInterfaceInfo => ({
  address,
  cidr: `${address}/${prefix}`,
  netmask: "",
  mac: "00:00:00:00:00:00",
  internal: address.startsWith("127.") || address === "::1",
  ...(address.includes(":") ? { family: "IPv6", scopeid: 0 } : { family: "IPv4" }),
});

/** Two legs: cameras on 10.1/16 and fd01::/64, clients on 192.168.7/24. */
const SYSTEM = (): Record<string, NetworkInterfaceInfo[]> => ({
  lo: [nic("127.0.0.1", 8), nic("::1", 128)],
  cam: [nic("10.1.0.5", 16), nic("fd01::5", 64)],
  lan: [nic("192.168.7.5", 24)],
});

const side = (settings: Partial<CameraSideSettings> = {}): ReturnType<typeof cameraSide> =>
  cameraSide({ interfaces: [], clientAddresses: ["192.168.7.5"], ...settings }, SYSTEM);

const may = (where: ReturnType<typeof cameraSide>, ip: string): boolean => {
  try {
    where.assertMayDial(ip);
    return true;
  } catch (error) {
    if (isFault(error, "denied")) return false;
    throw error;
  }
};

describe("the camera side", () => {
  const auto = side();
  const chosen = side({ interfaces: ["10.1.0.5"] });
  const loopback = side({ interfaces: ["127.0.0.0/8"] });
  const flat = side({ interfaces: ["192.168.7.5"] });
  const rows: readonly (readonly [string, ReturnType<typeof cameraSide>, string, boolean])[] = [
    ["a camera on the camera network", auto, "10.1.2.3", true],
    ["a camera behind a router", auto, "172.20.0.9", true],
    ["IPv6 camera", auto, "fd01::99", true],
    ["loopback", auto, "127.0.0.1", false],
    ["other loopback", auto, "127.8.9.1", false],
    ["IPv6 loopback", auto, "::1", false],
    ["loopback as IPv4-mapped", auto, "::ffff:127.0.0.1", false],
    ["loopback as mapped hexadecimal", auto, "::ffff:7f00:1", false],
    ["link-local", auto, "169.254.3.4", false],
    ["IPv6 link-local with zone", auto, "fe80::1%eth0", false],
    ["cloud metadata", auto, "169.254.169.254", false],
    ["multicast", auto, "239.255.255.250", false],
    ["broadcast", auto, "255.255.255.255", false],
    ["unspecified", auto, "0.0.0.0", false],
    ["IPv6 unspecified", auto, "::", false],
    ["loopback through NAT64", auto, "64:ff9b::7f00:1", false],
    ["our camera-side address", auto, "10.1.0.5", false],
    ["our client-side address", auto, "192.168.7.5", false],
    ["a neighbor on the client side", auto, "192.168.7.77", false],
    ["a host name", auto, "camera.local", false],
    ["nothing", auto, "", false],
    ["a camera on the chosen network", chosen, "10.1.200.1", true],
    ["our address on the chosen network", chosen, "10.1.0.5", false],
    ["a neighbor on the client side, other network chosen", chosen, "192.168.7.77", false],
    ["loopback where it is configured", loopback, "127.0.0.1", true],
    ["another loopback where it is configured", loopback, "127.0.0.44", true],
    ["IPv6 loopback where only IPv4's is configured", loopback, "::1", false],
    ["one flat network for both sides", flat, "192.168.7.77", true],
    ["our address on the flat network", flat, "192.168.7.5", false],
    ["our own address named as one machine", side({ interfaces: ["10.1.0.5/32"] }), "10.1.0.5", true],
    ["metadata in a configured network", side({ interfaces: ["169.254.0.0/16"] }), "169.254.169.254", false],
    ["link-local camera in a configured network", side({ interfaces: ["169.254.0.0/16"] }), "169.254.7.7", true],
    ["loopback named by our own address there", side({ interfaces: ["127.0.0.1"] }), "127.0.0.2", true],
  ];
  for (const [name, where, ip, allowed] of rows)
    it(`${allowed ? "dials" : "refuses"}: ${name}`, () => expect(may(where, ip)).to.equal(allowed));

  it("uses every interface that is neither internal nor the clients'", () => {
    expect(auto.localAddresses).to.deep.equal(["10.1.0.5", "fd01::5"]);
    expect(loopback.localAddresses).to.deep.equal(["127.0.0.1"]);
  });

  it("binds to our address on the camera's network, and leaves routed cameras to the system", () => {
    expect(auto.localAddressFor("10.1.9.9")).to.equal("10.1.0.5");
    expect(auto.localAddressFor("fd01::9")).to.equal("fd01::5");
    expect(auto.localAddressFor("172.20.0.9")).to.equal(undefined);
    expect(auto.localAddressFor("nonsense")).to.equal(undefined);
  });

  it("refuses settings that are no addresses", () => {
    for (const wrong of ["eth0", "10.0.0.0/33", "10.0.0.0/8/8", "10.0.0.0/", "fd00::/129", ""])
      expect(() => side({ interfaces: [wrong] }), wrong).to.throw(Fault);
  });
});

describe("an address that a camera names", () => {
  const rows: readonly (readonly [string, string, string])[] = [
    ["another host", "rtsp://192.168.0.9:8554/stream?a=1&b=2", "rtsp://10.1.2.3:8554/stream?a=1&b=2"],
    ["0.0.0.0", "http://0.0.0.0/onvif/device_service", "http://10.1.2.3/onvif/device_service"],
    ["loopback", "rtsp://127.0.0.1/ch0", "rtsp://10.1.2.3/ch0"],
    ["user information", "rtsp://admin:pa@ss@[fe80::1]:554/ch0", "rtsp://10.1.2.3:554/ch0"],
    ["no host", "rtsp://:554/ch0", "rtsp://10.1.2.3:554/ch0"],
    ["upper-case scheme", "RTSP://cam_1/ch0", "rtsp://10.1.2.3/ch0"],
    ["port zero", "http://cam:0/x", "http://10.1.2.3/x"],
    ["no path", "rtsp://cam", "rtsp://10.1.2.3"],
    ["blanks around", " rtsp://cam/x \n", "rtsp://10.1.2.3/x"],
  ];
  for (const [name, from, to] of rows)
    it(`keeps what is the camera's own: ${name}`, () =>
      expect(pinnedToHost(from, "10.1.2.3", ["rtsp", "http"]).href).to.equal(to));

  it("writes IPv6 hosts in brackets", () =>
    expect(pinnedToHost("rtsp://x/y", "fd01::9", ["rtsp"]).href).to.equal("rtsp://[fd01::9]/y"));

  for (const wrong of [
    "file:///etc/passwd",
    "gopher://x/",
    "javascript:alert(1)",
    "rtsp:/x",
    "",
    "//x/y",
    "rtsp://a\r\nb/",
    "rtsp://h:99999/",
    `rtsp://h/${"x".repeat(3000)}`,
  ])
    it(`refuses ${JSON.stringify(wrong.slice(0, 30))}`, () =>
      expect(() => pinnedToHost(wrong, "10.1.2.3", ["rtsp"]))
        .to.throw(Fault)
        .with.property("kind", "invalid"));

  it("never leads anywhere but to the camera, whatever is written", () => {
    const piece = fc.constantFrom(
      "rtsp://",
      "http://",
      "@",
      ":",
      "/",
      "[",
      "]",
      "?",
      "#",
      "\\",
      "%2f",
      "evil.test",
      "554",
      " ",
      "..",
      "\t",
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 12 }), (parts) => {
        try {
          const url = pinnedToHost(parts.join(""), "10.1.2.3", ["rtsp", "http"]);
          expect(url.hostname).to.equal("10.1.2.3");
          expect(url.username + url.password).to.equal("");
        } catch (error) {
          if (!isFault(error, "invalid")) throw error;
        }
      }),
    );
  });
});

describe("plainAddress", () => {
  const rows: readonly (readonly [string, string | undefined])[] = [
    ["::FFFF:10.0.0.1", "10.0.0.1"],
    ["0:0:0:0:0:ffff:a00:1", "10.0.0.1"],
    ["[FE80::0001%eth0]", "fe80::1"],
    ["2001:DB8:0:0::1", "2001:db8::1"],
    ["010.0.0.1", undefined],
    ["1.2.3", undefined],
  ];
  for (const [from, to] of rows) it(`${from} is ${to ?? "no address"}`, () => expect(plainAddress(from)).to.equal(to));
});
