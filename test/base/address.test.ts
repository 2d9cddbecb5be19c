import { expect } from "chai";
import { networkOf } from "../../base/address.ts";

describe("what stands for one machine", () => {
  const rows: readonly (readonly [address: string, network: string])[] = [
    ["192.0.2.1", "192.0.2.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["2001:db8:0:1::ffff", "2001:db8:0:1::/64"],
    ["fe80::", "fe80:0:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["::1:2:3:4:5", "0:0:0:1::/64"],
    ["unknown", "unknown"],
  ];
  for (const [address, network] of rows)
    it(`of ${address} is ${network}`, () => expect(networkOf(address)).to.equal(network));
});
