using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Perceptual.Tests;

/// <summary>
/// What is public is what <c>docs/public-api</c> lists: a change of it is seen in a file that nobody changes by chance.
/// </summary>
public class PublicApiTests
{
    private const int Columns = 120;

    private static readonly SymbolDisplayFormat Declaration = new(
        typeQualificationStyle: SymbolDisplayTypeQualificationStyle.NameAndContainingTypes,
        genericsOptions: SymbolDisplayGenericsOptions.IncludeTypeParameters
            | SymbolDisplayGenericsOptions.IncludeTypeConstraints | SymbolDisplayGenericsOptions.IncludeVariance,
        memberOptions: SymbolDisplayMemberOptions.IncludeAccessibility | SymbolDisplayMemberOptions.IncludeModifiers
            | SymbolDisplayMemberOptions.IncludeType | SymbolDisplayMemberOptions.IncludeRef
            | SymbolDisplayMemberOptions.IncludeParameters | SymbolDisplayMemberOptions.IncludeConstantValue,
        delegateStyle: SymbolDisplayDelegateStyle.NameAndSignature,
        extensionMethodStyle: SymbolDisplayExtensionMethodStyle.StaticMethod,
        parameterOptions: SymbolDisplayParameterOptions.IncludeType | SymbolDisplayParameterOptions.IncludeName
            | SymbolDisplayParameterOptions.IncludeModifiers | SymbolDisplayParameterOptions.IncludeDefaultValue
            | SymbolDisplayParameterOptions.IncludeExtensionThis,
        propertyStyle: SymbolDisplayPropertyStyle.ShowReadWriteDescriptor,
        kindOptions: SymbolDisplayKindOptions.IncludeTypeKeyword,
        miscellaneousOptions: SymbolDisplayMiscellaneousOptions.UseSpecialTypes
            | SymbolDisplayMiscellaneousOptions.IncludeNullableReferenceTypeModifier);

    private static readonly SymbolDisplayFormat Name =
        Declaration.WithKindOptions(SymbolDisplayKindOptions.None);

    [Theory]
    [InlineData(typeof(Lpips))]
    [InlineData(typeof(Distortion))]
    [InlineData(typeof(ImageFile))]
    [InlineData(typeof(VisualGate))]
    [InlineData(typeof(Look))]
    [InlineData(typeof(Perceptual.Testing.Playwright.PageLook))]
    [InlineData(typeof(Scores))]
    [InlineData(typeof(Trainer))]
    [InlineData(typeof(OnnxMetric))]
    public void What_is_public_is_listed(Type of)
    {
        var name = of.Assembly.GetName().Name!;
        var surface = Surface(of.Assembly.Location);
        Assert.Contains($" {of.Name}", surface, StringComparison.Ordinal);
        var folder = Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, "public-api")).FullName;
        File.WriteAllText(Path.Combine(folder, $"{name}.txt"), surface);
        var listed = Path.Combine(Repository.Root, "docs", "public-api", $"{name}.txt");
        Assert.True(File.Exists(listed) && File.ReadAllText(listed).ReplaceLineEndings("\n") == surface,
            $"{listed} is not what is public in {name}. Was it to change? The fresh list is in {folder}");
    }

    // By namespace and name, each type followed by its members.
    private static string Surface(string path)
    {
        var platform = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator);
        var references = platform.Append(path).Distinct().ToDictionary(
            path => path, path => MetadataReference.CreateFromFile(path));
        var assembly = (IAssemblySymbol)CSharpCompilation.Create("surface", references: references.Values)
            .GetAssemblyOrModuleSymbol(references[path])!;
        var text = new StringBuilder();
        foreach (var type in Types(assembly.GlobalNamespace))
        {
            text.Append(text.Length == 0 ? "" : "\n").Append(Wrap(
                $"{type.ContainingNamespace}: {Modifier(type)}{type.ToDisplayString(Declaration)}{Bases(type)}"));
            if (type.TypeKind == TypeKind.Delegate)
                continue;
            var members = type.GetMembers().Where(IsListed);
            if (type.TypeKind != TypeKind.Enum) // the names of its values stay in their order
                members = members.OrderBy(member => member.Name, StringComparer.Ordinal)
                    .ThenBy(member => member.ToDisplayString(Declaration), StringComparer.Ordinal);
            foreach (var member in members)
                text.Append(Wrap($"    {member.ToDisplayString(Declaration)}"));
        }
        return text.ToString();
    }

    private static IEnumerable<INamedTypeSymbol> Types(INamespaceOrTypeSymbol of)
    {
        foreach (var member in of.GetMembers().OfType<INamespaceOrTypeSymbol>().OrderBy(
            member => member.MetadataName, StringComparer.Ordinal))
        {
            if (member is INamedTypeSymbol type && IsVisible(type))
                yield return type;
            if (member is INamespaceSymbol || IsVisible(member))
                foreach (var inner in Types(member))
                    yield return inner;
        }
    }

    private static string Modifier(INamedTypeSymbol type) => type switch
    {
        { TypeKind: not TypeKind.Class } => "",
        { IsStatic: true } => "static ",
        { IsSealed: true } => "sealed ",
        { IsAbstract: true } => "abstract ",
        _ => "",
    };

    private static string Bases(INamedTypeSymbol type)
    {
        if (type.TypeKind is not (TypeKind.Class or TypeKind.Struct or TypeKind.Interface))
            return "";
        var bases = type.Interfaces.Where(IsVisible).Select(one => one.ToDisplayString(Name))
            .Order(StringComparer.Ordinal).ToList();
        if (type.BaseType is { SpecialType: not (SpecialType.System_Object or SpecialType.System_ValueType) } parent)
            bases.Insert(0, parent.ToDisplayString(Name));
        return bases.Count == 0 ? "" : $" : {string.Join(", ", bases)}";
    }

    // Not what the compiler adds to records and structures, nor what a property or an event consists of, nor nested
    // types.
    private static bool IsListed(ISymbol member) => IsVisible(member) && !member.IsImplicitlyDeclared
        && member is not (INamedTypeSymbol or IMethodSymbol { AssociatedSymbol: not null })
        && !member.GetAttributes().Any(attribute => attribute.AttributeClass!.Name == "CompilerGeneratedAttribute");

    private static bool IsVisible(ISymbol symbol) => symbol.DeclaredAccessibility
        is Accessibility.Public or Accessibility.Protected or Accessibility.ProtectedOrInternal;

    // Lines that are too long go on after a comma, further to the right.
    private static string Wrap(string line)
    {
        var text = new StringBuilder();
        while (line.Length > Columns
            && line.LastIndexOf(", ", Columns - 1, StringComparison.Ordinal) is > 12 and var end)
        {
            text.Append(line.AsSpan(0, end + 1)).Append('\n');
            line = new string(' ', 8) + line[(end + 2)..];
        }
        return text.Append(line).Append('\n').ToString();
    }
}
