/** Where a picture lies in the body, and how it fits on the screen: pure functions, PS3.3 §C.7.6.2 and §C.7.6.1. */

const LETTERS = [["L", "R"], ["P", "A"], ["S", "I"]];
const OPPOSITE = { L: "R", R: "L", A: "P", P: "A", S: "I", I: "S" };

/** The letters of a direction in the patient, strongest first; at most two, so that an oblique cut stays readable. */
export function directionLetters(vector) {
  return vector
    .map((part, axis) => ({ size: Math.abs(part), letter: LETTERS[axis][part > 0 ? 0 : 1] }))
    .filter(({ size }) => size > 0.25)
    .sort((a, b) => b.size - a.size)
    .slice(0, 2)
    .map(({ letter }) => letter)
    .join("");
}

/** The direction against `letters`: `opposite("AL")` is `"PR"`. */
export function opposite(letters) {
  return [...letters].map((letter) => OPPOSITE[letter] ?? "").join("");
}

/** What stands at each edge of the picture, or null when the picture does not say how it lies. */
export function edgeLetters({ orientation, patientOrientation }) {
  const [right, bottom] = orientation
    ? [directionLetters(orientation.slice(0, 3)), directionLetters(orientation.slice(3, 6))]
    : (patientOrientation ?? []).map(standardLetters);
  if (!right || !bottom) return null;
  return { left: opposite(right), right, top: opposite(bottom), bottom };
}

/** PS3.3 §C.7.6.1.1.1 says H and F where people say S and I; longer codes keep their first two letters. */
function standardLetters(code) {
  return code.replaceAll("H", "S").replaceAll("F", "I").replace(/[^LRAPSI]/g, "").slice(0, 2);
}

function normalOf([rx, ry, rz, cx, cy, cz]) {
  return [ry * cz - rz * cy, rz * cx - rx * cz, rx * cy - ry * cx];
}

/** Whether two pictures lie in one coordinate system and parallel, so that their places can be compared. */
export function comparable(one, other) {
  if (!one?.orientation || !other?.orientation || one.place === null || other.place === null) return false;
  if (!one.frameOfReference || one.frameOfReference !== other.frameOfReference) return false;
  const [a, b] = [normalOf(one.orientation), normalOf(other.orientation)];
  return a.reduce((sum, part, axis) => sum + part * b[axis], 0) > 0.99;
}

/** Where a cut lies, as `S 150.0 mm`: the side of the origin it is on, and how far; empty when it does not say. */
export function placeText({ orientation, place }) {
  if (!orientation || place === null) return "";
  const letters = directionLetters(normalOf(orientation));
  return `${place < 0 ? opposite(letters) : letters} ${Math.abs(place).toFixed(1)} mm`;
}

/** The distance of a picture along the normal of its plane, in mm; 0 when it does not say where it lies. */
export function distanceAlongNormal(orientation, position) {
  if (!orientation || !position) return 0;
  return normalOf(orientation).reduce((sum, part, axis) => sum + part * position[axis], 0);
}

/** Screen pixels per picture column and row that fit the whole picture, true to the pixels' shape. */
export function fitScale(picture, width, height) {
  const [rowSpacing, columnSpacing] = picture.aspect;
  const scale = Math.min(width / (picture.columns * columnSpacing), height / (picture.rows * rowSpacing));
  return { x: scale * columnSpacing, y: scale * rowSpacing };
}

/** A round length in mm whose bar is at most `room` pixels long, and that bar's length; null without a true scale. */
export function scaleBar(pixelsPerMillimetre, room) {
  if (!pixelsPerMillimetre) return null;
  const lengths = [200, 100, 50, 20, 10, 5, 2, 1];
  const millimetres = lengths.find((length) => length * pixelsPerMillimetre <= room);
  return millimetres ? { millimetres, pixels: millimetres * pixelsPerMillimetre } : null;
}
