// From features or vectors to labels: heads, mixture, energy, abstention, as metier/heads.py and
// metier/engines/classifier.py compute them. It knows numbers and labels; no text, no file.

/**
 * Logits of a head over hashed words: int8 weights with one scale per label.
 *
 * @param {{weights: Int8Array, scale: Float32Array, bias: Float32Array}} head
 * @param {Uint32Array} buckets rows of the weights that are not zero.
 * @param {Float32Array} values their values.
 */
export function sparseLogits(head, buckets, values) {
  const labels = head.bias.length;
  const sums = new Float64Array(labels);
  for (let index = 0; index < buckets.length; index += 1) {
    const value = values[index];
    const row = buckets[index] * labels;
    for (let label = 0; label < labels; label += 1) sums[label] += value * head.weights[row + label];
  }
  return Float32Array.from(sums, (sum, label) => sum * head.scale[label] + head.bias[label]);
}

/** Logits of a head over a vector: float32 weights, shape (vector, labels). */
export function denseLogits(head, vector) {
  const labels = head.bias.length;
  const sums = Float64Array.from(head.bias);
  for (let index = 0; index < vector.length; index += 1) {
    const value = vector[index];
    const row = index * labels;
    for (let label = 0; label < labels; label += 1) sums[label] += value * head.weights[row + label];
  }
  return Float32Array.from(sums);
}

/** The members' logits, weighted (temperature included) and added, in float32. */
export function mix(logits, weights) {
  const mixed = new Float32Array(logits[0].length);
  logits.forEach((member, index) => {
    const weight = Math.fround(weights[index]);
    for (let label = 0; label < mixed.length; label += 1) mixed[label] += Math.fround(weight * member[label]);
  });
  return mixed;
}

/** Log-sum-exp: higher is more in scope. */
export function energy(logits) {
  const highest = logits.reduce((most, value) => Math.max(most, value), -Infinity);
  let total = 0;
  for (const value of logits) total += Math.exp(value - highest);
  return Math.fround(highest + Math.log(total));
}

/**
 * The decision: the best label or an abstention, with the first `top` scores.
 *
 * @param {Float32Array} logits mixed, one per label.
 * @param {{labels: string[], abstain_below: number, energy_below: number|null}} rules
 */
export function decide(logits, rules, top = 5) {
  const whole = energy(logits);
  const probabilities = logits.map((value) => Math.exp(value - whole));
  const ranked = Array.from(probabilities.keys())
    .sort((a, b) => probabilities[b] - probabilities[a] || a - b)
    .slice(0, Math.max(1, Math.min(top, probabilities.length)));
  const scores = ranked.map((label) => ({ label: rules.labels[label], probability: probabilities[label] }));
  const [{ label: best, probability }] = scores;
  const outside = rules.energy_below !== null && whole < rules.energy_below;
  const abstained = outside || probability < rules.abstain_below;
  return {
    label: abstained ? null : best,
    probability,
    best,
    abstained,
    out_of_scope: outside,
    energy: whole,
    scores,
  };
}
