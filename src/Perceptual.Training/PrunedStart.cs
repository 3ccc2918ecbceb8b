namespace Perceptual.Training;

/// <summary>
/// The first weights of a student: those of a teacher, cut to the student's size. In each layer the channels with
/// the largest lin weights are kept, and of each kernel the centre. Students that begin with random weights
/// become far worse.
/// </summary>
internal static class PrunedStart
{
    /// <param name="student">Its layers correspond to the first layers of the teacher, but with fewer channels and
    /// smaller kernels; each convolution has a tap.</param>
    /// <param name="teacher">The teacher's trunk.</param>
    /// <param name="teacherLin">The teacher's lin weights.</param>
    /// <returns>The student's trunk, and its lin weights, [tap][channel].</returns>
    /// <exception cref="ArgumentException">The student cannot be cut out of the teacher.</exception>
    public static (TrunkWeights Trunk, float[][] Lin) Of(Network student, TrunkWeights teacher, LinWeights teacherLin)
    {
        var layers = student.Convolutions.Zip(teacher.Network.Convolutions).ToArray();
        if (!Fits(student, teacher.Network))
            throw new ArgumentException($"{student.Name} cannot be cut out of {teacher.Network.Name}: its layers must "
                + $"be {teacher.Network.Name}'s first, with fewer channels and smaller kernels");
        var tensors = new Dictionary<string, Tensor>();
        var lin = new float[layers.Length][];
        int[] inputs = [0, 1, 2];
        for (var k = 0; k < layers.Length; k++)
        {
            var (small, large) = layers[k];
            var all = teacherLin.Layers[k];
            int[] kept = [.. Enumerable.Range(0, large.Outputs).OrderByDescending(channel => all[channel])
                .ThenBy(channel => channel).Take(small.Outputs).Order()];
            var (from, to) = (teacher.Tensors[large.Name + ".weight"].Values, new float[small.WeightCount]);
            var margin = (large.Kernel - small.Kernel) / 2;
            // A sum over fewer inputs has a smaller standard deviation.
            var scale = MathF.Sqrt((float)large.Inputs / small.Inputs);
            for (var o = 0; o < small.Outputs; o++)
                for (var i = 0; i < small.Inputs; i++)
                    for (var y = 0; y < small.Kernel; y++)
                        for (var x = 0; x < small.Kernel; x++)
                            to[((o * small.Inputs + i) * small.Kernel + y) * small.Kernel + x] =
                                scale * from[((kept[o] * large.Inputs + inputs[i]) * large.Kernel + margin + y)
                                    * large.Kernel + margin + x];
            tensors[small.Name + ".weight"] = new(small.Name + ".weight", small.WeightShape, to);
            tensors[small.Name + ".bias"] = new(small.Name + ".bias", [small.Outputs],
                [.. kept.Select(channel => teacher.Tensors[large.Name + ".bias"].Values[channel])]);
            var share = kept.Sum(channel => (double)all[channel]) / all.Sum(weight => (double)weight);
            lin[k] = [.. kept.Select(channel => (float)(all[channel] / share))];
            inputs = kept;
        }
        return (TrunkWeights.From(student, tensors, $"the start of {student.Name}"), lin);
    }

    /// <summary>Whether a student can be cut out of a teacher.</summary>
    public static bool Fits(Network student, Network teacher)
    {
        var layers = student.Layers.Zip(teacher.Layers).ToArray();
        return layers.Length == student.Layers.Count && layers.All(pair => pair is (Convolution a, Convolution b)
            ? a.Tap && b.Tap && a.Stride == b.Stride && a.Inputs <= b.Inputs && a.Outputs <= b.Outputs
                // The windows have the same centres.
                && b.Kernel - a.Kernel == 2 * (b.Padding - a.Padding) && a.Kernel <= b.Kernel
            : pair.First.Convolutions.Count == 0 && pair.First == pair.Second);
    }
}
