import { expect } from "chai";
import { type RecordingPlan, readRecordingPlan, switched } from "../../bridge/recording-plan.ts";

const HOURS = { zone: "UTC", weekly: [{ days: [1], from: "08:00", to: "18:00" }], exceptions: [] };
const EVENTS = { of: ["motion"], beforeSeconds: 5, afterSeconds: 10 };

describe("a recording plan", () => {
  const read: readonly [string, unknown, unknown][] = [
    ["continuous", { mode: "continuous" }, { mode: "continuous" }],
    ["a schedule", { mode: "schedule", hours: HOURS }, { mode: "schedule", hours: HOURS }],
    ["events, motion if nothing is said", { mode: "events" }, { mode: "events", events: EVENTS }],
    [
      "words and topics",
      {
        mode: "events",
        events: { of: ["doorbell", "tns1:RuleEngine/LineDetector/Crossed", "tns1:UserAlarm/axis:Door"] },
      },
      {
        mode: "events",
        events: { ...EVENTS, of: ["doorbell", "tns1:RuleEngine/LineDetector/Crossed", "tns1:UserAlarm/axis:Door"] },
      },
    ],
    ["events within hours", { mode: "events", hours: HOURS }, { mode: "events", hours: HOURS, events: EVENTS }],
  ];
  for (const [what, from, to] of read) it(`is read: ${what}`, () => expect(readRecordingPlan(from)).to.deep.equal(to));

  const refused: readonly [string, unknown, RegExp][] = [
    ["no mode", {}, /^recording\.mode/],
    ["another mode", { mode: "always" }, /^recording\.mode/],
    ["a schedule without hours", { mode: "schedule" }, /a schedule has hours/],
    ["hours in no zone", { mode: "schedule", hours: { ...HOURS, zone: "Mars" } }, /no such time zone/],
    ["nothing to wait for", { mode: "events", events: { of: [] } }, /^recording\.events\.of/],
    ["the bridge's own events", { mode: "events", events: { of: ["tns1:RecordingConfig/JobState"] } }, /events\.of/],
    ["a word that is none", { mode: "events", events: { of: ["ghosts"] } }, /events\.of/],
    ["a pre-roll of hours", { mode: "events", events: { beforeSeconds: 3600 } }, /beforeSeconds/],
    ["more than there is", { mode: "continuous", until: "dawn" }, /recording/],
  ];
  for (const [what, from, why] of refused)
    it(`is refused: ${what}`, () => expect(() => readRecordingPlan(from)).to.throw(why));

  const plans: readonly RecordingPlan[] = [
    { mode: "continuous" },
    readRecordingPlan({ mode: "schedule", hours: HOURS }),
    readRecordingPlan({ mode: "events" }),
    readRecordingPlan({ mode: "events", hours: HOURS }),
  ];
  for (const plan of plans)
    it(`is off and on again as it was: ${JSON.stringify(plan)}`, () => {
      const off = switched(plan, false);
      expect(off.mode).to.equal("off");
      expect(switched(off, false)).to.equal(off);
      expect(switched(off, true)).to.deep.equal(plan);
      expect(switched(plan, true)).to.equal(plan);
    });
});
