import { expect } from "chai";
import * as fc from "fast-check";
import { isFault } from "../../../base/fault.ts";
import { FindList } from "../../../discovery/client/find-list.ts";
import { type Found, foundOf } from "../../../discovery/client/found.ts";
import { addressesOf } from "../../../discovery/client/targets.ts";
import { type DeviceEntry, NETWORK_VIDEO_TRANSMITTER } from "../../../discovery/message.ts";
import { cameraSide } from "../../../net/sides.ts";

const machine =
  (...addresses: readonly (readonly [string, string])[]) =>
  () =>
    Object.fromEntries(
      addresses.map(([address, cidr], index) => [
        `eth${index}`,
        [{ address, cidr, internal: false, family: "IPv4", netmask: "", mac: "00:00:00:00:00:00" } as const],
      ]),
    );

/** Two camera networks that we are on, and a client network. */
const side = cameraSide(
  { interfaces: ["10.1.0.5", "10.2.0.5"], clientAddresses: ["192.168.7.5"] },
  machine(["10.1.0.5", "10.1.0.5/24"], ["10.2.0.5", "10.2.0.5/24"], ["192.168.7.5", "192.168.7.5/24"]),
);

const entry = (more: Partial<DeviceEntry> = {}): DeviceEntry => ({
  endpoint: "urn:uuid:0A0B0C0D-1111-2222-3333-444455556666",
  types: [NETWORK_VIDEO_TRANSMITTER],
  scopes: [],
  xaddrs: ["http://10.1.0.9/onvif/device_service"],
  metadataVersion: 1,
  ...more,
});

const found = (more: Partial<DeviceEntry> = {}, sender = "10.1.0.9"): Found => {
  const one = foundOf(entry(more), sender, side);
  if (one === undefined) throw new Error("not found");
  return one;
};

const SERVICE = "onvif/device_service";

/** [what the camera names, sender, the addresses that are kept, the camera's address] */
const REPAIRS: readonly (readonly [string, readonly string[], string, readonly string[], string])[] = [
  ["its own address", [`http://10.1.0.9/${SERVICE}`], "10.1.0.9", [`http://10.1.0.9/${SERVICE}`], "10.1.0.9"],
  ["0.0.0.0", [`http://0.0.0.0:8000/${SERVICE}`], "10.1.0.9", [`http://10.1.0.9:8000/${SERVICE}`], "10.1.0.9"],
  ["loopback", [`http://127.0.0.1/${SERVICE}`], "10.1.0.9", [`http://10.1.0.9/${SERVICE}`], "10.1.0.9"],
  ["the inside of a NAT", [`http://192.168.1.64/${SERVICE}`], "10.1.0.9", [`http://10.1.0.9/${SERVICE}`], "10.1.0.9"],
  ["a client-side address", [`http://192.168.7.9/${SERVICE}`], "10.1.0.9", [`http://10.1.0.9/${SERVICE}`], "10.1.0.9"],
  ["cloud metadata", ["http://169.254.169.254/latest"], "10.1.0.9", ["http://10.1.0.9/latest"], "10.1.0.9"],
  ["our own address", [`http://10.1.0.5/${SERVICE}`], "10.1.0.9", [`http://10.1.0.9/${SERVICE}`], "10.1.0.9"],
  ["a host name", [`http://camera.local/${SERVICE}`], "10.1.0.9", [`http://10.1.0.9/${SERVICE}`], "10.1.0.9"],
  ["link-local IPv6", [`http://[fe80::1%25eth0]/${SERVICE}`], "10.1.0.9", [`http://10.1.0.9/${SERVICE}`], "10.1.0.9"],
  ["no address at all", [], "10.1.0.9", [`http://10.1.0.9/${SERVICE}`], "10.1.0.9"],
  ["nonsense", ["javascript:alert(1)", "http://", "::"], "10.1.0.9", [`http://10.1.0.9/${SERVICE}`], "10.1.0.9"],
  [
    "https last and twice the same",
    [`http://10.1.0.9:80/${SERVICE}`, `http://0.0.0.0/${SERVICE}`, `https://10.1.0.9/${SERVICE}`],
    "10.1.0.9",
    [`https://10.1.0.9/${SERVICE}`, `http://10.1.0.9/${SERVICE}`],
    "10.1.0.9",
  ],
  [
    "a second address on another network of ours",
    [`http://10.2.0.9/${SERVICE}`, `http://10.1.0.9/${SERVICE}`],
    "10.1.0.9",
    [`http://10.1.0.9/${SERVICE}`, `http://10.2.0.9/${SERVICE}`],
    "10.1.0.9",
  ],
  ["only that one", [`http://10.2.0.9/${SERVICE}`], "10.1.0.9", [`http://10.2.0.9/${SERVICE}`], "10.2.0.9"],
  [
    "its own, off our networks",
    [`http://172.20.0.9/${SERVICE}`],
    "172.20.0.9",
    [`http://172.20.0.9/${SERVICE}`],
    "172.20.0.9",
  ],
  ["a user and password", [`http://a:b@10.1.0.9/${SERVICE}`], "10.1.0.9", [`http://10.1.0.9/${SERVICE}`], "10.1.0.9"],
];

describe("a find", () => {
  for (const [named, xaddrs, sender, kept, ip] of REPAIRS)
    it(`has addresses that can be dialed when the camera names ${named}`, () => {
      const one = found({ xaddrs }, sender);
      expect({ xaddrs: one.xaddrs, ip: one.ip }).to.deep.equal({ xaddrs: kept, ip });
    });

  it("tells name, model and place in plain text, whatever the scopes hold", () => {
    const scopes = [
      "onvif://www.onvif.org/type/video_encoder",
      "onvif://www.onvif.org/name/Gate%20No.%201%0A",
      "onvif://www.onvif.org/hardware/100%",
      "ONVIF://WWW.ONVIF.ORG/location/country/germany",
    ];
    const { name, hardware, location } = found({ scopes });
    expect({ name, hardware, location }).to.deep.equal({
      name: "Gate No. 1",
      hardware: "100%",
      location: "country/germany",
    });
  });

  it("is no find when it is a printer, ourselves, or on the client side", () => {
    const printer = { types: [{ ns: "http://schemas.xmlsoap.org/ws/2006/02/devprof", name: "Device" }] };
    expect(foundOf(entry({ ...printer, xaddrs: ["http://10.1.0.9:5357/x"] }), "10.1.0.9", side)).to.equal(undefined);
    expect(foundOf(entry({ xaddrs: ["http://10.1.0.5/onvif"] }), "10.1.0.5", side)).to.equal(undefined);
    expect(foundOf(entry({ xaddrs: ["http://192.168.7.9/onvif"] }), "192.168.7.9", side)).to.equal(undefined);
  });

  it("is taken from a relay that is no camera itself", () => {
    const one = foundOf(entry({ xaddrs: ["http://172.20.0.9/onvif/device_service"] }), "192.168.7.9", side);
    expect(one).to.include({ ip: "172.20.0.9" });
  });

  it("never names an address that may not be dialed, whatever stands in the answer", () => {
    const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain(), fc.string());
    fc.assert(
      fc.property(fc.array(host.map((text) => `http://${text}/onvif/x`)), fc.ipV4(), (xaddrs, sender) => {
        const one = foundOf(entry({ xaddrs }), sender, side);
        if (one === undefined) return;
        for (const text of [...one.xaddrs.map((xaddr) => new URL(xaddr).hostname), one.ip]) side.assertMayDial(text);
      }),
    );
  });
});

describe("the finds of a scan", () => {
  it("hold a device once that answers several probes", () => {
    const list = new FindList();
    expect(list.add(found())).to.include({ ip: "10.1.0.9" });
    expect(list.add(found())).to.equal(undefined);
    expect(list.all).to.have.length(1);
  });

  it("take a name that comes later, and do not let go of the first address", () => {
    const list = new FindList();
    list.add(found());
    const news = list.add(
      found({ scopes: ["onvif://www.onvif.org/name/Gate"], xaddrs: [`http://10.1.0.9:81/${SERVICE}`] }),
    );
    expect(news).to.include({ name: "Gate" });
    expect(news?.xaddrs).to.deep.equal([`http://10.1.0.9/${SERVICE}`]);
  });

  it("hold a camera once that answers from both of its addresses", () => {
    const list = new FindList();
    const xaddrs = [`http://10.1.0.9/${SERVICE}`, `http://10.2.0.9/${SERVICE}`];
    list.add(found({ xaddrs }));
    expect(list.add(found({ xaddrs }, "10.2.0.9"))).to.equal(undefined);
    expect(list.all).to.have.length(1);
  });

  it("hold a camera once that has made itself a new identifier", () => {
    const list = new FindList();
    list.add(found());
    expect(list.add(found({ endpoint: "urn:uuid:99999999-0000-0000-0000-000000000000" }))).to.equal(undefined);
    expect(list.all).to.have.length(1);
  });

  it("hold two cameras that share an identifier, and lead to both", () => {
    const list = new FindList();
    const first = list.add(found());
    const second = list.add(found({ xaddrs: [`http://10.1.0.10/${SERVICE}`] }, "10.1.0.10"));
    expect(second?.ip).to.equal("10.1.0.10");
    expect(second?.id)
      .to.match(/^[0-9a-z-]+$/)
      .and.not.equal(first?.id);
    expect(list.add(found({ xaddrs: [`http://10.1.0.10/${SERVICE}`] }, "10.1.0.10"))).to.equal(undefined);
  });

  it("are bounded", () => {
    const list = new FindList();
    for (let number = 0; number < 1200; number += 1)
      list.add(
        found({
          endpoint: `urn:uuid:${String(number).padStart(8, "0")}`,
          xaddrs: [`http://10.1.0.9:${number + 1}/onvif`],
        }),
      );
    expect(list.all).to.have.length(1000);
  });
});

describe("scan targets", () => {
  const cases: readonly (readonly [readonly string[], readonly string[]])[] = [
    [[], []],
    [["10.1.0.7", " 10.1.0.7 ", ""], ["10.1.0.7"]],
    [["10.1.0.4/30"], ["10.1.0.6"]],
    [["10.1.0.8/31"], ["10.1.0.8", "10.1.0.9"]],
    [["10.1.0.9/32"], ["10.1.0.9"]],
    [["192.168.7.0/30"], []],
    [["fd00::7", "fd00::7/128"], ["fd00::7"]],
  ];
  for (const [targets, addresses] of cases)
    it(`are ${addresses.join(" ") || "none"} for "${targets.join(" ")}"`, () => {
      expect(addressesOf(targets, side)).to.deep.equal(addresses);
    });

  it("may be as many as a /20", () => {
    expect(addressesOf(["172.20.0.0/20"], side)).to.have.length(4094);
  });

  for (const targets of [
    ["172.20.0.0/19"],
    ["172.20.0.0/20", "172.21.0.0/20"],
    ["camera.local"],
    ["10.1.0.0/33"],
    ["10.1.0.0/"],
    ["10.1.0.0/8/8"],
    ["fd00::/64"],
    Array.from({ length: 65 }, () => "10.1.0.9"),
  ])
    it(`are refused with words for the installer: ${targets.slice(0, 2).join(" ")}`, () => {
      expect(() => addressesOf(targets, side))
        .to.throw()
        .with.property("kind", "invalid");
      expect(() => addressesOf(targets, side))
        .to.throw()
        .with.property("tell");
    });

  it("are refused where no camera may be", () => {
    for (const target of ["127.0.0.1", "10.1.0.5", "192.168.7.9", "169.254.169.254"])
      expect(() => addressesOf([target], side), target)
        .to.throw()
        .with.property("kind", "denied");
  });

  it("of any text are addresses or a Fault", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.ipV4().map((ip) => `${ip}/24`),
        ),
        (text) => {
          try {
            addressesOf([text], side);
          } catch (error) {
            if (!isFault(error, "invalid") && !isFault(error, "denied")) throw error;
          }
        },
      ),
    );
  });
});
