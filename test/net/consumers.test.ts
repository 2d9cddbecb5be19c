import type { NetworkInterfaceInfo } from "node:os";
import { expect } from "chai";
import { isFault } from "../../base/fault.ts";
import { consumerSide } from "../../net/consumers.ts";

const nic = (address: string, prefix: number): NetworkInterfaceInfo => ({
  address,
  cidr: `${address}/${prefix}`,
  netmask: "",
  mac: "00:00:00:00:00:00",
  internal: address.startsWith("127.") || address === "::1",
  ...(address.includes(":") ? { family: "IPv6", scopeid: 0 } : { family: "IPv4" }),
});

/** Cameras on 10.1/16 and fd01::/64, those who are told on 10.2/24. */
const SYSTEM = (): Record<string, NetworkInterfaceInfo[]> => ({
  lo: [nic("127.0.0.1", 8), nic("::1", 128)],
  cam: [nic("10.1.0.5", 16), nic("fd01::5", 64)],
  lan: [nic("10.2.0.5", 24)],
});

const may = (listed: readonly string[], ip: string, cameraInterfaces: readonly string[] = ["10.1.0.5"]): boolean => {
  try {
    consumerSide({ listed, cameraInterfaces }, SYSTEM).assertMayDial(ip);
    return true;
  } catch (error) {
    if (isFault(error, "denied")) return false;
    throw error;
  }
};

describe("where events may be sent", () => {
  const rows: readonly (readonly [listed: readonly string[], ip: string, allowed: boolean])[] = [
    [[], "10.2.0.9", false],
    [["10.2.0.9"], "10.2.0.9", true],
    [["10.2.0.9"], "::ffff:10.2.0.9", true],
    [["10.2.0.9"], "10.2.0.8", false],
    [["10.2.0.0/24"], "10.2.0.8", true],
    [["10.2.0.0/24"], "10.2.0.5", false],
    [["10.2.0.5"], "10.2.0.5", true],
    [["fd02::/64"], "fd02::9", true],
    [["10.0.0.0/8"], "10.1.2.3", false],
    [["10.1.0.0/16"], "10.1.2.3", true],
    [["10.1.2.0/24"], "10.1.2.3", true],
    [["10.0.0.0/8", "10.1.2.3"], "10.1.2.3", true],
    [["10.0.0.0/8", "10.1.2.4"], "10.1.2.3", false],
    [["0.0.0.0/0"], "8.8.8.8", true],
    [["0.0.0.0/0"], "127.0.0.1", false],
    [["127.0.0.0/8"], "127.8.0.1", true],
    [["127.0.0.0/8"], "127.0.0.1", false],
    [["127.0.0.1"], "127.0.0.1", true],
    [["::/0"], "::1", false],
    [["0.0.0.0/0"], "169.254.3.4", false],
    [["0.0.0.0/0", "169.254.0.0/16"], "169.254.169.254", false],
    [["0.0.0.0/0"], "239.255.255.250", false],
    [["0.0.0.0/0"], "0.0.0.0", false],
    [["0.0.0.0/0"], "vms.example.org", false],
  ];
  for (const [listed, ip, allowed] of rows)
    it(`are ${allowed ? "" : "not "}${ip} by [${listed.join(", ")}]`, () => expect(may(listed, ip)).to.equal(allowed));

  it("are not the cameras of a range that is set as such, nor of an address that is gone", () => {
    expect(may(["10.0.0.0/8"], "10.7.0.1", ["10.7.0.0/16"])).to.equal(false);
    expect(may(["10.0.0.0/8"], "10.7.0.1", ["10.7.0.1"])).to.equal(false);
    expect(may(["10.0.0.0/8"], "10.7.0.2", ["10.7.0.1"])).to.equal(true);
  });
});
