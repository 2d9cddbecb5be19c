import { expect } from "chai";
import { PlaceTokens } from "../../bridge/camera-side/place-tokens.ts";

const POSITION = { PanTilt: { x: 0.1, y: 0.2 } };

describe("a camera's places, under tokens of the bridge's own", () => {
  const places = new PlaceTokens("gate");
  const own = places.presets.own("door");
  const tour = (spots: readonly object[], more: object = {}): object => ({
    token: "round",
    Status: { State: "Idle" },
    AutoStart: false,
    StartingCondition: {},
    TourSpot: spots.map((PresetDetail) => ({ PresetDetail, StayTime: 5 })),
    ...more,
  });

  for (const [title, told, expected] of [
    ["a preset", { PresetToken: "door" }, { PresetToken: own }],
    ["the home position", { Home: true }, { Home: true }],
    ["a position", { PTZPosition: POSITION }, { PTZPosition: POSITION }],
    ["a preset and where that is", { PresetToken: "door", PTZPosition: POSITION }, { PresetToken: own }],
    ["a preset that is home", { PresetToken: "door", Home: true }, { PresetToken: own }],
    ["home and where that is", { Home: true, PTZPosition: POSITION }, { Home: true }],
    ["all of it", { PresetToken: "door", Home: true, PTZPosition: POSITION }, { PresetToken: own }],
  ] as const)
    it(`are told in one way, where a tour names ${title}`, () => {
      const current = { CurrentTourSpot: { PresetDetail: told } };
      const answer = places.inAnswer({
        PresetTour: tour([told, {}], { Status: { State: "Touring", ...current } }),
      });
      expect(answer).to.deep.equal({
        PresetTour: tour([expected], {
          token: places.tours.own("round"),
          Status: { State: "Touring", CurrentTourSpot: { PresetDetail: expected } },
        }),
      });
    });

  it("are left out where they cannot be named: a spot without a place, a preset or tour without a token", () => {
    const nowhere = { State: "Touring", CurrentTourSpot: { PresetDetail: {} } };
    const answer = places.inAnswer({
      Preset: [{ Name: "nameless" }, { token: "door" }],
      PresetTour: [tour([{}], { Status: nowhere }), tour([], { token: undefined })],
    });
    expect(answer).to.deep.equal({
      Preset: [{ token: own }],
      PresetTour: [tour([], { token: places.tours.own("round"), Status: { State: "Touring" } })],
    });
  });
});
