import type { ValueOf } from "../../wsdl/schema.ts";
import type { PresetTour, PTZPresetTourSpot } from "../../wsdl/tables/tt-preset-tour.ts";
import { OwnTokens } from "./own-tokens.ts";

type Tour = ValueOf<typeof PresetTour>;
type Spot = ValueOf<typeof PTZPresetTourSpot>;

/** What of an answer of the PTZ service holds tokens of the camera's. */
interface Answer {
  readonly Preset?: readonly { readonly token?: string }[];
  readonly PresetToken?: string;
  readonly PresetTour?: Tour | readonly Tour[];
}

/** Tokens of the bridge's own for the presets and preset tours of one camera. */
export class PlaceTokens {
  readonly presets: OwnTokens;
  readonly tours: OwnTokens;

  constructor(camera: string) {
    this.presets = new OwnTokens(`${camera} preset`);
    this.tours = new OwnTokens(`${camera} tour`);
  }

  /** An answer with our tokens in place of the camera's. What has no token cannot be asked for, and is left out. */
  inAnswer(answer: object): object {
    const { Preset, PresetToken, PresetTour: tours } = answer as Answer;
    return {
      ...answer,
      ...(PresetToken === undefined ? {} : { PresetToken: this.presets.own(PresetToken) }),
      ...(Preset === undefined
        ? {}
        : {
            Preset: Preset.flatMap((one) =>
              one.token === undefined ? [] : { ...one, token: this.presets.own(one.token) },
            ),
          }),
      ...(tours === undefined
        ? {}
        : { PresetTour: "length" in tours ? tours.flatMap((tour) => this.#listed(tour)) : this.#tour(tours) }),
    };
  }

  #listed(tour: Tour): readonly Tour[] {
    return tour.token === undefined ? [] : [this.#tour(tour)];
  }

  #tour(tour: Tour): Tour {
    const { token, Status, TourSpot = [] } = tour;
    const { CurrentTourSpot: spot, ...status } = Status;
    const [current] = spot === undefined ? [] : this.#spot(spot);
    return {
      ...tour,
      ...(token === undefined ? {} : { token: this.tours.own(token) }),
      Status: { ...status, ...(current === undefined ? {} : { CurrentTourSpot: current }) },
      TourSpot: TourSpot.flatMap((one) => this.#spot(one)),
    };
  }

  /** With one way to say where it is, as the schema has it, whatever the camera says; none where it says nothing of that. */
  #spot(spot: Spot): readonly Spot[] {
    const { PresetToken, Home, PTZPosition } = spot.PresetDetail;
    if (PresetToken !== undefined) return [{ ...spot, PresetDetail: { PresetToken: this.presets.own(PresetToken) } }];
    if (Home !== undefined) return [{ ...spot, PresetDetail: { Home } }];
    return PTZPosition === undefined ? [] : [{ ...spot, PresetDetail: { PTZPosition } }];
  }
}
