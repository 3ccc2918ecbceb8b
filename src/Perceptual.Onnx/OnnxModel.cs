using System.Security.Cryptography;

namespace Perceptual.Onnx;

/// <summary>An input of a graph, or a tensor it has stored.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">The type of its elements, as onnx.proto numbers them; 0 if it is no tensor.</param>
/// <param name="Shape">Its dimensions, -1 where one is free; null if the file does not say.</param>
internal sealed record OnnxTensor(string Name, int Type, IReadOnlyList<long>? Shape)
{
    public const int Float = 1, UInt8 = 2, Float16 = 10;

    /// <summary>The type as people write it.</summary>
    public string TypeName => Type switch
    {
        Float => "float32",
        Float16 => "float16",
        UInt8 => "uint8",
        _ => $"of type {Type} in onnx.proto",
    };
}

/// <summary>An operator in a graph.</summary>
/// <param name="Operator">Its type, such as "Conv".</param>
/// <param name="Inputs">The values it reads, those that graphs within it read included.</param>
/// <param name="Outputs">The values it makes.</param>
/// <param name="Place">Where it lies in the file.</param>
internal sealed record OnnxNode(
    string Operator, IReadOnlyList<string> Inputs, IReadOnlyList<string> Outputs, Extent Place);

/// <summary>
/// What an ONNX file says of its graph (https://github.com/onnx/onnx, onnx.proto, whose numbers of fields these are):
/// inputs, nodes, names and shapes of stored tensors. The values of tensors are not looked at. Files are bounded, and
/// what breaks a rule is refused with a message that begins with the path. Data outside of the file must be in its
/// folder.
/// </summary>
internal sealed class OnnxModel
{
    private const int MaximumLength = 1 << 30; // bytes; larger models keep their weights in files beside them
    private const int MaximumParts = 1 << 20; // nodes, names, tensors, attributes; real networks have thousands
    private const int MaximumDepth = 16; // of graphs in nodes
    private const int LongestName = 4096; // bytes
    private const int MaximumRank = 64;

    private readonly byte[] bytes;
    private readonly List<OnnxTensor> graphInputs = [];
    private readonly List<string> outputs = [];
    private readonly List<(string Name, Extent Place)> stored = [];
    private readonly Dictionary<string, OnnxTensor> tensors = [];
    private readonly List<OnnxNode> nodes = [];
    private readonly HashSet<string> externalFiles = [];
    private Extent? graph;
    private int parts;

    private OnnxModel(byte[] bytes, string path) => (this.bytes, Path) = (bytes, path);

    /// <summary>The path of the file.</summary>
    public string Path { get; }

    /// <summary>The folder of the file, where its external data is.</summary>
    public string Folder => System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path))!;

    /// <summary>What the graph must be given: its inputs without those that have a stored value.</summary>
    public IEnumerable<OnnxTensor> Inputs => graphInputs.Where(input => !tensors.ContainsKey(input.Name));

    /// <summary>The nodes; each comes after those whose outputs it reads.</summary>
    public IReadOnlyList<OnnxNode> Nodes => nodes;

    /// <summary>The names of what the graph gives.</summary>
    public IReadOnlyList<string> Outputs => outputs;

    /// <summary>The names and shapes of stored tensors.</summary>
    public IReadOnlyDictionary<string, OnnxTensor> Tensors => tensors;

    /// <summary>The version of the standard operators.</summary>
    public long OperatorSet { get; private set; }

    /// <summary>The files beside the model that hold values of tensors, as full paths.</summary>
    public IEnumerable<string> ExternalFiles => externalFiles.Order(StringComparer.Ordinal);

    /// <summary>Reads a file.</summary>
    /// <exception cref="InvalidDataException">The file is damaged, too large, or names data that is missing or outside
    /// of its folder.</exception>
    /// <exception cref="IOException">The file cannot be opened or read.</exception>
    public static OnnxModel Read(string path)
    {
        using var stream = LocalFile.OpenRead(path);
        if (stream.Length > MaximumLength)
            throw new InvalidDataException($"{path}: {stream.Length} bytes are more than the {MaximumLength} that an "
                + "ONNX file may have here; keep its weights in a file beside it (external data)");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return Read(bytes, path);
    }

    /// <summary>Reads a file in memory; external data is looked for beside <paramref name="path"/>.</summary>
    /// <inheritdoc cref="Read(string)" path="/exception"/>
    public static OnnxModel Read(byte[] bytes, string path)
    {
        var model = new OnnxModel(bytes, path);
        try
        {
            model.ReadModel();
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{path}: is damaged, or no ONNX file: {e.Message}", e);
        }
        foreach (var file in model.ExternalFiles)
            model.CheckExternal(file);
        return model;
    }

    /// <summary>The SHA-256 of the file and of its external data, in lower-case hex.</summary>
    public string Digest()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(bytes);
        var buffer = new byte[1 << 16];
        foreach (var file in ExternalFiles)
        {
            using var stream = LocalFile.OpenRead(file);
            for (int count; (count = stream.Read(buffer)) > 0;)
                hash.AppendData(buffer, 0, count);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>
    /// The model with other outputs: nodes and tensors that they do not need fall away, and so do stored shapes of
    /// values. The file stays as it is.
    /// </summary>
    /// <param name="outputs">Values of nodes.</param>
    /// <param name="input">The name of the input whose dimensions are set.</param>
    /// <param name="shape">Its dimensions; -1 is a free one.</param>
    public byte[] With(IEnumerable<string> outputs, OnnxTensor input, IReadOnlyList<long> shape)
    {
        string[] names = [.. outputs];
        var needed = names.ToHashSet();
        var kept = new List<Extent>();
        foreach (var node in nodes.AsEnumerable().Reverse().Where(node => node.Outputs.Any(needed.Contains)))
        {
            needed.UnionWith(node.Inputs);
            kept.Add(node.Place);
        }
        kept.Reverse();
        kept.AddRange(stored.Where(tensor => needed.Contains(tensor.Name)).Select(tensor => tensor.Place));

        var newGraph = new ProtobufWriter();
        foreach (var place in kept)
            newGraph.Copy(bytes, place);
        var reader = new ProtobufReader(bytes, graph!.Value);
        while (reader.Read())
            if (reader.Field is 2 or 15) // name, sparse_initializer
                newGraph.Copy(bytes, reader.Whole);
        foreach (var other in graphInputs)
            newGraph.Add(11, other == input ? Value(input with { Shape = shape }) : Value(other));
        foreach (var name in names)
            newGraph.Add(12, new ProtobufWriter().Add(1, name)); // its type is inferred

        var model = new ProtobufWriter();
        reader = new(bytes, new(0, bytes.Length));
        while (reader.Read())
            if (reader.Field is not (7 or 20)) // graph, training_info
                model.Copy(bytes, reader.Whole);
        return model.Add(7, newGraph).ToArray();
    }

    // ValueInfoProto: name, type; TypeProto: tensor_type; TypeProto.Tensor: elem_type, shape; TensorShapeProto: dim;
    // Dimension: dim_value, dim_param
    private static ProtobufWriter Value(OnnxTensor input)
    {
        var type = new ProtobufWriter().Add(1, input.Type);
        if (input.Shape is not null)
        {
            var shape = new ProtobufWriter();
            foreach (var (axis, length) in input.Shape.Index())
                shape.Add(1, length < 0 ? new ProtobufWriter().Add(2, $"free_{axis}")
                    : new ProtobufWriter().Add(1, length));
            type.Add(2, shape);
        }
        return new ProtobufWriter().Add(1, input.Name).Add(2, new ProtobufWriter().Add(1, type));
    }

    // ModelProto: graph 7, opset_import 8 (domain 1, version 2), training_info 20, functions 25 (node 7)
    private void ReadModel()
    {
        var reader = new ProtobufReader(bytes, new(0, bytes.Length));
        while (reader.Read())
        {
            switch (reader.Field)
            {
                case 7 when graph is not null:
                    throw new InvalidDataException("it has two graphs");
                case 7:
                    graph = reader.Content;
                    break;
                case 8:
                    ReadOperatorSet(reader.Content);
                    break;
                case 25:
                    for (var function = new ProtobufReader(bytes, reader.Content); function.Read();)
                        if (function.Field == 7)
                            ReadNode(function.Content, function.Whole, depth: 1);
                    break;
            }
        }
        if (graph is not { } found)
            throw new InvalidDataException("it has no graph");
        for (reader = new(bytes, found); reader.Read();)
            ReadPart(reader);
        CheckOrder();
    }

    // GraphProto: node 1, initializer 5, input 11, output 12, sparse_initializer 15
    private void ReadPart(ProtobufReader reader)
    {
        switch (reader.Field)
        {
            case 1:
                nodes.Add(ReadNode(reader.Content, reader.Whole, depth: 0));
                break;
            case 5:
                var tensor = ReadTensor(reader.Content);
                if (!tensors.TryAdd(tensor.Name, tensor))
                    throw new InvalidDataException($"it has two tensors {Quoted(tensor.Name)}");
                stored.Add((tensor.Name, reader.Whole));
                break;
            case 11:
                graphInputs.Add(ReadInput(reader.Content));
                break;
            case 12:
                outputs.Add(ReadInput(reader.Content).Name);
                break;
            case 15:
                var sparse = ReadSparse(reader.Content);
                tensors.TryAdd(sparse.Name, sparse);
                break;
        }
    }

    private void ReadOperatorSet(Extent message)
    {
        Count();
        var (domain, version) = ("", 0L);
        for (var reader = new ProtobufReader(bytes, message); reader.Read();)
            if (reader.Field == 1)
                domain = reader.Text(LongestName);
            else if (reader.Field == 2)
                version = reader.Number;
        if (domain is "" or "ai.onnx")
            OperatorSet = version;
    }

    // NodeProto: input 1, output 2, op_type 4, attribute 5
    private OnnxNode ReadNode(Extent message, Extent place, int depth)
    {
        Count();
        var (type, inputs, outputs) = ("", new List<string>(), new List<string>());
        for (var reader = new ProtobufReader(bytes, message); reader.Read();)
            switch (reader.Field)
            {
                case 1 or 2:
                    Count();
                    var name = reader.Text(LongestName);
                    if (name.Length > 0) // an optional one that is left out
                        (reader.Field == 1 ? inputs : outputs).Add(name);
                    break;
                case 4:
                    type = reader.Text(LongestName);
                    break;
                case 5:
                    ReadAttribute(reader.Content, inputs, depth);
                    break;
            }
        return new(type, inputs, outputs, place);
    }

    // AttributeProto: t 5, g 6, tensors 10, graphs 11, sparse_tensor 22, sparse_tensors 23
    private void ReadAttribute(Extent message, List<string> used, int depth)
    {
        Count();
        for (var reader = new ProtobufReader(bytes, message); reader.Read();)
            switch (reader.Field)
            {
                case 5 or 10:
                    ReadTensor(reader.Content);
                    break;
                case 6 or 11:
                    ReadInner(reader.Content, used, depth + 1);
                    break;
                case 22 or 23:
                    ReadSparse(reader.Content);
                    break;
            }
    }

    // A graph within a node may read values of the graph around it, and give them out.
    private void ReadInner(Extent message, List<string> used, int depth)
    {
        Count();
        if (depth > MaximumDepth)
            throw new InvalidDataException($"graphs lie more than {MaximumDepth} deep in each other");
        for (var reader = new ProtobufReader(bytes, message); reader.Read();)
            switch (reader.Field)
            {
                case 1:
                    used.AddRange(ReadNode(reader.Content, reader.Whole, depth).Inputs);
                    break;
                case 5:
                    ReadTensor(reader.Content);
                    break;
                case 12:
                    used.Add(ReadInput(reader.Content).Name);
                    break;
                case 15:
                    ReadSparse(reader.Content);
                    break;
            }
    }

    // ValueInfoProto, as Value writes it
    private OnnxTensor ReadInput(Extent message)
    {
        Count();
        var input = new OnnxTensor("", 0, null);
        for (var reader = new ProtobufReader(bytes, message); reader.Read();)
            if (reader.Field == 1)
                input = input with { Name = reader.Text(LongestName) };
            else if (reader.Field == 2)
                for (var type = new ProtobufReader(bytes, reader.Content); type.Read();)
                    if (type.Field == 1)
                        input = ReadType(type.Content, input);
        return input;
    }

    private OnnxTensor ReadType(Extent message, OnnxTensor input)
    {
        for (var reader = new ProtobufReader(bytes, message); reader.Read();)
            if (reader.Field == 1)
                input = input with { Type = (int)reader.Number };
            else if (reader.Field == 2)
            {
                var shape = new List<long>();
                for (var dims = new ProtobufReader(bytes, reader.Content); dims.Read();)
                    if (dims.Field == 1)
                        shape.Add(ReadDimension(dims.Content));
                if (shape.Count > MaximumRank)
                    throw new InvalidDataException($"a value has {shape.Count} dimensions");
                input = input with { Shape = shape };
            }
        return input;
    }

    private long ReadDimension(Extent message)
    {
        Count();
        var length = -1L;
        for (var reader = new ProtobufReader(bytes, message); reader.Read();)
            if (reader.Field == 1)
                length = reader.Number > 0 ? reader.Number : -1;
        return length;
    }

    // SparseTensorProto: values 1, indices 2
    private OnnxTensor ReadSparse(Extent message)
    {
        Count();
        var values = new OnnxTensor("", 0, null);
        for (var reader = new ProtobufReader(bytes, message); reader.Read();)
            if (reader.Field == 1)
                values = ReadTensor(reader.Content);
            else if (reader.Field == 2)
                ReadTensor(reader.Content);
        return values;
    }

    // TensorProto: dims 1, data_type 2, name 8, external_data 13 (key 1, value 2), data_location 14 (1: external)
    private OnnxTensor ReadTensor(Extent message)
    {
        Count();
        var (name, type, shape, location, isExternal) = ("", 0, new List<long>(), (string?)null, false);
        for (var reader = new ProtobufReader(bytes, message); reader.Read();)
            switch (reader.Field)
            {
                case 1:
                    reader.AddNumbers(shape, MaximumRank);
                    break;
                case 2:
                    type = (int)reader.Number;
                    break;
                case 8:
                    name = reader.Text(LongestName);
                    break;
                case 13:
                    location = ReadLocation(reader.Content) ?? location;
                    break;
                case 14:
                    isExternal |= reader.Number == 1;
                    break;
            }
        if (isExternal || location is not null)
            externalFiles.Add(Inside(location));
        return new(name, type, shape);
    }

    private string? ReadLocation(Extent message)
    {
        Count();
        var (key, value) = ("", "");
        for (var reader = new ProtobufReader(bytes, message); reader.Read();)
            if (reader.Field == 1)
                key = reader.Text(LongestName);
            else if (reader.Field == 2)
                value = reader.Text(LongestName);
        return key == "location" ? value : null;
    }

    // The full path of external data, which must not leave the folder on any system.
    private string Inside(string? location)
    {
        if (string.IsNullOrEmpty(location) || location.Contains('\\') || location.Contains(':')
            || location.Contains('\0') || location.Split('/').Any(part => part is "" or "." or ".."))
            throw new InvalidDataException(
                $"its data {Quoted(location ?? "")} would be outside of its folder, where it must be");
        return System.IO.Path.Combine([Folder, .. location.Split('/')]);
    }

    private void CheckExternal(string file)
    {
        var folder = new DirectoryInfo(Folder);
        for (FileSystemInfo? part = new FileInfo(file);
            part is not null && part.FullName.Length > folder.FullName.Length;
            part = part is FileInfo inFolder ? inFolder.Directory : ((DirectoryInfo)part).Parent)
            if (part.LinkTarget is not null)
                throw new InvalidDataException(
                    $"{Path}: its data {UntrustedText.Printable(file)} is behind a link; put the file itself there");
        if (!File.Exists(file))
            throw new InvalidDataException(
                $"{Path}: its data is in {UntrustedText.Printable(file)}, which is not there");
    }

    // Once this holds there are no cycles.
    private void CheckOrder()
    {
        var made = graphInputs.Select(input => input.Name).Concat(tensors.Keys).ToHashSet();
        foreach (var node in nodes)
            foreach (var output in node.Outputs)
                if (!made.Add(output))
                    throw new InvalidDataException($"the value {Quoted(output)} is made twice");
        var known = graphInputs.Select(input => input.Name).Concat(tensors.Keys).ToHashSet();
        foreach (var node in nodes)
        {
            if (node.Inputs.FirstOrDefault(input => made.Contains(input) && !known.Contains(input)) is { } early)
                throw new InvalidDataException($"{Quoted(early)} is read before it is made");
            known.UnionWith(node.Outputs);
        }
    }

    private void Count()
    {
        if (++parts > MaximumParts)
            throw new InvalidDataException(
                $"it has more than {MaximumParts} nodes, names and tensors; it is not a network");
    }

    private static string Quoted(string name) => $"'{UntrustedText.Printable(name)}'";
}
