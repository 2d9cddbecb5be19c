import { createHash } from "node:crypto";
import { expect } from "chai";
import { unixMillis } from "../../../base/units.ts";
import type { CameraFinding } from "../../../media/signing/finding.ts";
import { changedPlace, type Statement } from "../../../media/signing/group-change.ts";
import { GroupJudge } from "../../../media/signing/group-judge.ts";
import type { SignedUnit } from "../../../media/signing/units.ts";

const HASH_BYTES = 32;
const hashed = (...parts: readonly (string | Buffer)[]): Buffer => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** Slices in groups of `each`, and how often anything has looked at them. */
class Film {
  looks = 0;
  readonly units: SignedUnit[] = [];

  add(count: number, each: number): readonly SignedUnit[] {
    const look = <Found>(found: Found): Found => {
      this.looks += 1;
      return found;
    };
    const from = this.units.length;
    for (let index = 0; index < count; index += 1) {
      const isStart = index % each === 0;
      const order = from + index;
      const hashes = { sha256: hashed(`slice ${order}`) };
      this.units.push({
        get hashes() {
          return look(hashes);
        },
        get isPlain() {
          return look(true);
        },
        isStart,
        anchor: isStart ? undefined : this.units.findLast((one) => one.isStart),
        fromUs: order,
        toUs: order + 1,
        order,
        held: undefined,
      });
    }
    return this.units.slice(from);
  }
}

/** Signed, and of no pictures that there are. */
function statement(counter: number, o: Partial<Statement> = {}): Statement {
  return {
    isPartial: false,
    from: unixMillis(0),
    to: unixMillis(0),
    counter,
    counts: [],
    hash: hashed(`group ${counter}`),
    previous: hashed("before"),
    name: "sha256",
    list: undefined,
    isSigned: true,
    isGood: true,
    held: undefined,
    ...o,
  };
}

/** A judge that has settled the first two slices, as the first group of a camera. */
function begun(film: Film): GroupJudge {
  const judge = new GroupJudge();
  for (const unit of film.add(2, 2)) judge.unit(unit);
  const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = film.units.map(({ hashes }) => hashes?.sha256);
  const hash = hashed(first, hashed(first, second));
  judge.statement(statement(1000, { hash, previous: Buffer.alloc(HASH_BYTES) }));
  return judge;
}

const said = (judge: GroupJudge): readonly string[] =>
  judge.end().map(({ fromUs, toUs, verdict }) => `${fromUs}-${toUs} ${verdict}`);

describe("what a crafted film makes a judge of camera signatures do", () => {
  it("reads the list of a statement once, and compares it with the next 64 groups alone, however many wait", () => {
    const film = new Film();
    film.add(2000, 4);
    let reads = 0;
    const list = Buffer.alloc(100 * HASH_BYTES);
    const print = list.toString.bind(list);
    Object.assign(list, {
      toString(...args: Parameters<Buffer["toString"]>) {
        reads += 1;
        return print(...args);
      },
    });
    film.looks = 0;
    changedPlace(film.units, statement(1, { list }), 0);
    expect(reads).to.equal(100);
    expect(film.looks, "each slice by its own group's start, and by the list's, with that start's hash").to.be.below(
      64 * 4 * 4,
    );
  });

  const floods: readonly (readonly [string, statements: number, Partial<Statement>])[] = [
    ["parts that may begin with every group", 1, { isPartial: true, counts: [2000] }],
    ["statements that are older than what was settled", 300, {}],
  ];
  for (const [name, count, o] of floods)
    it(`ends the search for ${name}, says so, and goes on with what follows`, () => {
      const film = new Film();
      const judge = begun(film);
      for (const unit of film.add(4000, 2)) judge.unit(unit);
      film.looks = 0;
      for (let counter = 1; counter <= count; counter += 1) judge.statement(statement(counter, o));
      expect(film.looks).to.be.within(100_000, 800_000);

      const group = film.add(10, 10);
      for (const unit of group) judge.unit(unit);
      const [first = Buffer.alloc(0), ...rest] = group.map(({ hashes }) => hashes?.sha256 as Buffer);
      const hash = hashed(first, ...rest.map((one) => hashed(first, one)));
      judge.statement(statement(2000, { hash }));
      const found = said(judge);
      expect([found[0], found[1], found.at(-1)]).to.deep.equal(["0-2 ok", "2-4002 missing", "4002-4012 ok"]);
    });

  it("passes on what messages without a signature say of one another a hundred times, and not thousands", () => {
    const judge = new GroupJudge();
    let order = 0;
    const unit = (held: CameraFinding[] | undefined): Buffer => {
      const sha256 = hashed(`unit ${order}`);
      const isStart = held === undefined;
      const times = { fromUs: order, toUs: order + 1, order };
      judge.unit({ hashes: { sha256 }, isStart, isPlain: true, anchor: undefined, held, ...times });
      order += 1;
      return sha256;
    };
    const lengths: number[] = [];
    let message: Buffer = Buffer.alloc(0);
    for (let counter = 1; counter <= 3000; counter += 1) {
      const held: CameraFinding[] = [];
      const picture = unit(undefined);
      const previous = counter === 1 ? Buffer.alloc(HASH_BYTES) : hashed("before");
      judge.statement(statement(counter, { hash: hashed(message, picture), previous, isSigned: false, held }));
      lengths.push(held.length);
      message = unit(held);
    }
    expect(lengths.slice(0, 100), "one more each time").to.deep.equal(Array.from({ length: 100 }, (_, one) => one + 1));
    expect(Math.max(...lengths)).to.be.below(1000);
    expect(said(judge)).to.include("0-1 unknown");
  });
});
