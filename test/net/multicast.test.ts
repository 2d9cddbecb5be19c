import { expect } from "chai";
import { groupAt, parseGroupRange } from "../../net/multicast.ts";

describe("a range of multicast groups", () => {
  const rows: readonly (readonly [text: string, first: string | undefined, last: string | undefined, count: number])[] =
    [
      ["239.192.0.0/16", "239.192.0.0", "239.192.255.255", 65_536],
      ["239.192.7.9/30", "239.192.7.8", "239.192.7.11", 4],
      ["239.1.2.3", "239.1.2.3", "239.1.2.3", 1],
      ["224.0.1.0/24", "224.0.1.0", "224.0.1.255", 256],
      ["239.255.255.255/32", "239.255.255.255", "239.255.255.255", 1],
      ["224.0.0.0/24", undefined, undefined, 0],
      ["224.0.0.0/8", undefined, undefined, 0],
      ["192.0.2.0/24", undefined, undefined, 0],
      ["0.0.0.0/0", undefined, undefined, 0],
      ["239.1.2/24", undefined, undefined, 0],
      ["239.1.2.3/24/8", undefined, undefined, 0],
      ["239.1.2.3/", undefined, undefined, 0],
      ["ff15::1", undefined, undefined, 0],
    ];
  for (const [text, first, last, count] of rows)
    it(`${text}: ${first === undefined ? "none" : `${count} from ${first}`}`, () => {
      const range = parseGroupRange(text);
      expect(range?.count ?? 0).to.equal(count);
      expect(range && groupAt(range, 0)).to.equal(first);
      expect(range && groupAt(range, count - 1)).to.equal(last);
      expect(range && groupAt(range, count)).to.equal(undefined);
    });
});
