// A trained model's file, as attnbook/models/layout.py describes it: header, then the numbers of all tensors.

import { halves } from "../lib/numbers.js";

const SPECIAL = ["<pad>", "<bos>", "<eos>", "<unk>"]; // the words that every vocabulary begins with
const SCALE = ".scale";

const TYPES = {
  F16: (buffer) => halves(new Uint16Array(buffer)),
  F32: (buffer) => new Float32Array(buffer),
  I8: (buffer) => Float32Array.from(new Int8Array(buffer)),
};

// bytes (Uint8Array) -> {architecture, configuration, vocabularies: {name: [words]}, tensors: Map} and, where the
// file has them, familiar, which data/word_pairs.py packed, and merges, the pairs of a byte-pair tokenizer. A tensor is
// {shape, data}, data a Float32Array row by row; of whole numbers of 8 bits each row was multiplied by its scale.
export function readModel(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = 8 + Number(view.getBigUint64(0, true));
  const { __metadata__: metadata, ...entries } = JSON.parse(
    new TextDecoder().decode(bytes.subarray(8, start)),
  );
  const described = JSON.parse(metadata.attnbook);
  const numbers = (name) => {
    const { dtype, data_offsets: offsets } = entries[name];
    // A copy: typed arrays begin at multiples of their size, and the file's tensors do not.
    return TYPES[dtype](bytes.slice(start + offsets[0], start + offsets[1]).buffer);
  };
  const tensors = new Map();
  for (const [name, { shape, dtype }] of Object.entries(entries)) {
    if (name.endsWith(SCALE) && name.slice(0, -SCALE.length) in entries) continue;
    const data = numbers(name);
    if (dtype === "I8") {
      const scale = numbers(name + SCALE);
      const columns = data.length / scale.length;
      for (let i = 0; i < data.length; i += 1) data[i] *= scale[Math.floor(i / columns)];
    }
    tensors.set(name, { shape, data });
  }
  const { architecture, configuration, familiar, merges, src, tgt } = described;
  const vocabularies = {};
  for (const [name, words] of Object.entries(described.vocabularies || { src, tgt }))
    vocabularies[name] = [...SPECIAL, ...words];
  return { architecture, configuration, vocabularies, familiar, merges, tensors };
}
