// The Vision Transformer (attnbook/nn/vit.py) on one picture with one channel.

import { softmax } from "../lib/softmax.js";
import {
  add,
  each,
  gelu,
  layerNorm,
  linear,
  matVec,
  multiHeadAttention,
  part,
  row,
  tensor,
} from "./tensors.js";

const normed = (x, { weight, bias }) => {
  const out = tensor(x.shape);
  for (let i = 0; i < x.shape[0]; i += 1) out.data.set(layerNorm(row(x, i), weight, bias), i * x.shape[1]);
  return out;
};

// What loadModel has loaded -> read(picture), which takes the picture's numbers row by row and returns
//   probabilities   of the classes;
//   weights         layers × heads × rows × columns over the tokens: the class token, then the patches row by row.
export function visionTransformer({ architecture, configuration, tensors }) {
  const { image_size: side, patch_size: size, n_heads: heads, n_layers: layers } = configuration;
  if (architecture !== "vision_transformer" || configuration.n_registers)
    throw Error(`a ${architecture} with registers does not run in the page`);
  const across = side / size;
  const layer = (x, name, vector) => linear(x, vector[`${name}.weight`], vector[`${name}.bias`]);
  return (picture) => {
    const cut = tensor([across ** 2, size ** 2]);
    picture.forEach((ink, i) => {
      const [y, x] = [Math.floor(i / side), i % side];
      const patch = Math.floor(y / size) * across + Math.floor(x / size);
      cut.data[patch * size ** 2 + (y % size) * size + (x % size)] = ink;
    });
    const patches = layer(cut, "W_patch", Object.fromEntries(tensors));
    const positions = tensors.get("positions");
    let z = tensor(positions.shape);
    z.data.set(tensors.get("class_token").data);
    z.data.set(patches.data, positions.shape[1]);
    z = add(z, positions);
    const weights = [];
    for (let l = 0; l < layers; l += 1) {
      const named = part(tensors, `layers.${l}`);
      const norm = (x, name) => normed(x, { weight: named[`${name}.weight`], bias: named[`${name}.bias`] });
      const before = norm(z, "norm_1");
      const [query, key, value] = ["q", "k", "v"].map((one) => layer(before, `attention.W_${one}`, named));
      const attended = multiHeadAttention(query, key, value, heads);
      weights.push(attended.weights);
      z = add(z, layer(attended.context, "attention.W_o", named));
      const hidden = each(layer(norm(z, "norm_2"), "feed_forward.W_1", named), gelu);
      z = add(z, layer(hidden, "feed_forward.W_2", named));
    }
    const last = layerNorm(row(z, 0), tensors.get("norm.weight"), tensors.get("norm.bias"));
    const logits = matVec(tensors.get("W_classes.weight"), last, tensors.get("W_classes.bias"));
    return { probabilities: softmax([...logits]).weights, weights };
  };
}
