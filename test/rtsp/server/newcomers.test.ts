import { Socket } from "node:net";
import { expect } from "chai";
import { Newcomers } from "../../../rtsp/server/newcomers.ts";

describe("connections that have not logged in", () => {
  const arrive = (newcomers: Newcomers, address: string, count: number): readonly Socket[] =>
    Array.from({ length: count }, (_, index) => {
      const socket = new Socket();
      newcomers.add(`${address}:${index}`, address, socket);
      return socket;
    });

  it("are bounded, and the oldest of the address that holds the most goes first", () => {
    const newcomers = new Newcomers();
    const [honest] = arrive(newcomers, "192.0.2.1", 1);
    const flood = arrive(newcomers, "192.0.2.66", 300);
    expect(honest?.destroyed).to.equal(false);
    expect(flood.filter((socket) => !socket.destroyed)).to.have.length(199);
    expect(flood.findIndex((socket) => !socket.destroyed)).to.equal(101);
  });

  it("count by the /64 of IPv6, in which one machine has any number of addresses", () => {
    const newcomers = new Newcomers();
    const [honest] = arrive(newcomers, "2001:db8::1", 1);
    for (let host = 1; host <= 300; host += 1) arrive(newcomers, `2001:db8:0:1::${host.toString(16)}`, 1);
    expect(honest?.destroyed).to.equal(false);
  });

  it("do not count once they have logged in", () => {
    const newcomers = new Newcomers();
    const members = arrive(newcomers, "192.0.2.1", 200);
    for (let index = 0; index < 200; index += 1) newcomers.remove(`192.0.2.1:${index}`);
    arrive(newcomers, "192.0.2.66", 300);
    expect(members.filter((socket) => socket.destroyed)).to.deep.equal([]);
  });

  it("count once when they go on in TLS", () => {
    const newcomers = new Newcomers();
    const [plain] = arrive(newcomers, "192.0.2.1", 1);
    arrive(newcomers, "192.0.2.2", 199);
    newcomers.add("192.0.2.1:0", "192.0.2.1", new Socket());
    expect(plain?.destroyed).to.equal(false);
  });
});
