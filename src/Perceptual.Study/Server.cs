using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Perceptual.Study;

/// <summary>What the browser finds out before the trials.</summary>
internal sealed record Profile(double RefreshRate, int Width, int Height, double PixelRatio,
    double? PixelsPerMillimetre, int? PlatesRead, int? PlatesShown)
{
    /// <summary>Whether it can be what a browser found out.</summary>
    [JsonIgnore]
    public bool IsSound => RefreshRate is >= 0 and <= 10_000 && Width is > 0 and <= 1_000_000
        && Height is > 0 and <= 1_000_000 && PixelRatio is > 0 and <= 100
        && PixelsPerMillimetre is null or > 0 and <= 1000
        && PlatesRead is null or >= 0 and <= 100 && PlatesShown is null or >= 0 and <= 100;
}

/// <summary>Serves a study to the people who judge and to its owner.</summary>
internal sealed class Server : IAsyncDisposable
{
    private const long MostBytes = 128 << 10; // of a request
    private const string SessionCookie = "study-session", OwnerCookie = "study-owner";
    private const string Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        + "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    private static readonly Dictionary<string, string> Types = new()
    {
        [".css"] = "text/css; charset=utf-8",
        [".js"] = "text/javascript; charset=utf-8",
        [".svg"] = "image/svg+xml",
    };

    private static readonly Dictionary<string, byte[]> Web = ReadWeb();

    private readonly StudyFolder study;
    private readonly Sessions sessions;
    private readonly Pages pages;
    private readonly LiveScale scale;
    private readonly string root;
    private readonly byte[] ownerHash;
    private readonly WebApplication app;

    /// <param name="study">The study, which the caller closes.</param>
    /// <param name="address">The address to listen on.</param>
    /// <param name="port">The port; 0: any that is free.</param>
    /// <param name="root">The path that the study is served under; empty or beginning with a slash.</param>
    /// <param name="clock">What time it is.</param>
    public Server(StudyFolder study, IPAddress address, int port, string root, TimeProvider? clock = null)
    {
        this.study = study;
        this.root = root;
        sessions = new(study, clock ?? TimeProvider.System);
        scale = new(study.Definition, clock ?? TimeProvider.System);
        pages = new(study.Definition, root);
        OwnerToken = RandomNumberGenerator.GetHexString(32, lowercase: true);
        ownerHash = Sessions.Hash(OwnerToken);
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(address, port);
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MostBytes;
        });
        AddServices(builder.Services);
        app = builder.Build();
        UseMiddleware();
        MapPages();
        MapTrials();
        MapOwner();
    }

    /// <summary>What the owner logs in with; another one at each start.</summary>
    public string OwnerToken { get; }

    public Uri Address => new(new Uri(app.Urls.First()), $"{root}/");

    public async Task Start()
    {
        // Kept so that it can be seen who owns the study, and no token can be read from the file.
        await study.Store.Write(open => open.Run(
            "insert or replace into meta(key, value) values('owner', $1)", Convert.ToHexStringLower(ownerHash)));
        await app.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
    }

    private void AddServices(IServiceCollection services)
    {
        services.AddLogging(logging => logging.AddConsole(console => console.LogToStandardErrorThreshold = 0)
            .SetMinimumLevel(LogLevel.Error).AddFilter("Microsoft.Extensions.Hosting", LogLevel.None));
        services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(1)); // whoever is connected
        services.AddRoutingCore();
        services.AddDataProtection().SetApplicationName("perceptual-study")
            .PersistKeysToFileSystem(Directory.CreateDirectory(Path.Combine(study.Path, "keys")));
        services.AddAntiforgery(options =>
        {
            options.FormFieldName = "csrf";
            options.HeaderName = "X-Csrf";
            options.Cookie.Name = "study-csrf";
            options.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
            options.Cookie.Path = root.Length > 0 ? root : "/";
            options.SuppressXFrameOptionsHeader = true; // the policy says it
        });
        services.Configure<ForwardedHeadersOptions>(options => options.ForwardedHeaders =
            ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto | ForwardedHeaders.XForwardedHost);
        services.AddRateLimiter(limiter =>
        {
            limiter.OnRejected = async (rejected, _) =>
            {
                rejected.HttpContext.Response.Headers.RetryAfter = "60";
                await Refuse(rejected.HttpContext, new RefusedException(
                    429, "Too much came from here at a time. Wait a minute, then load the page again."));
            };
            limiter.AddPolicy("secrets", context => Window(context, 60)); // tries to guess one
            limiter.AddPolicy("people", context => Window(context, 600));
            limiter.AddPolicy("session", context => RateLimitPartition.GetTokenBucketLimiter(
                context.Request.Cookies[SessionCookie] ?? From(context), _ => new()
                {
                    TokenLimit = 200,
                    TokensPerPeriod = 50,
                    ReplenishmentPeriod = TimeSpan.FromSeconds(1),
                    QueueLimit = 0,
                }));
        });
        static string From(HttpContext context) => $"{context.Connection.RemoteIpAddress}";
        static RateLimitPartition<string> Window(HttpContext context, int count) =>
            RateLimitPartition.GetFixedWindowLimiter(From(context),
                _ => new() { PermitLimit = count, Window = TimeSpan.FromMinutes(1) });
    }

    private void UseMiddleware()
    {
        app.UseForwardedHeaders();
        app.Use((context, next) =>
        {
            context.Response.OnStarting(() => Protect(context.Response.Headers)); // on pages about errors too
            return next(context);
        });
        app.UseExceptionHandler(new ExceptionHandlerOptions
        {
            AllowStatusCode404Response = true,
            SuppressDiagnosticsCallback = failure => Refusal(failure.Exception).Status < 500,
            ExceptionHandler = context => Refuse(
                context, context.Features.Get<IExceptionHandlerFeature>()!.Error),
        });
        if (root.Length > 0)
            app.UsePathBase(root);
        app.UseRouting();
        app.UseRateLimiter();
        app.Use(async (context, next) =>
        {
            if (HttpMethods.IsPost(context.Request.Method))
                await context.RequestServices.GetRequiredService<IAntiforgery>().ValidateRequestAsync(context);
            await next(context);
        });
    }

    private static Task Protect(IHeaderDictionary headers)
    {
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()";
        // Alone in its process, a page has a clock of 5 microseconds.
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Embedder-Policy"] = "require-corp";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        if (headers.CacheControl.Count == 0)
            headers.CacheControl = "no-store";
        return Task.CompletedTask;
    }

    // Whatever goes wrong, a person gets one sentence and no part of the program.
    private static (int Status, string Message) Refusal(Exception error) => error switch
    {
        RefusedException refused => (refused.Status, refused.Message),
        AntiforgeryValidationException => (400, "This page is out of date. Go back, and load it again."),
        BadHttpRequestException bad => (bad.StatusCode, "This request cannot be read."),
        JsonException or InvalidDataException => (400, "This request cannot be read."),
        _ => (500, "Something went wrong here. What you answered before is safe."),
    };

    private Task Refuse(HttpContext context, Exception error)
    {
        var (status, message) = Refusal(error);
        context.Response.StatusCode = status;
        return context.Request.Path.StartsWithSegments("/api")
            ? context.Response.WriteAsJsonAsync(new { error = message })
            : Show(context, pages.Message("This did not work", message));
    }

    private void MapPages()
    {
        app.MapGet("/", context =>
        {
            var external = External(context.Request.Query["pid"]);
            return Person(context) is { } person && sessions.IsOf(person, external)
                ? Redirect(context, "/run")
                : Show(context, pages.Welcome(external, Csrf(context), null));
        });
        app.MapPost("/join", Join).RequireRateLimiting("people");
        app.MapGet("/r/{token}", context =>
        {
            var token = ((string)context.Request.RouteValues["token"]!).Replace("-", "", StringComparison.Ordinal);
            if (sessions.Find(token) is null)
                throw new RefusedException(404, "This link does not lead to a session. Look whether it is complete.");
            SetCookie(context, SessionCookie, token.ToLowerInvariant(), SameSiteMode.Lax);
            return Redirect(context, "/run");
        }).RequireRateLimiting("secrets");
        app.MapGet("/run", context => Person(context) is null
            ? Redirect(context, "/")
            : Show(context, pages.Run(context.Request.Cookies[SessionCookie]!, Csrf(context))));
        app.MapGet("/web/{**name}", async context =>
        {
            var name = context.Request.RouteValues["name"] as string ?? "";
            if (!Web.TryGetValue(name, out var bytes))
                throw new RefusedException(404, "There is nothing here.");
            context.Response.ContentType = Types[Path.GetExtension(name)];
            context.Response.Headers.CacheControl = "no-cache";
            await context.Response.Body.WriteAsync(bytes);
        });
        app.MapFallback(_ => throw new RefusedException(404, "There is nothing here."));
    }

    private async Task Join(HttpContext context)
    {
        var form = await context.Request.ReadFormAsync();
        var external = External(form["pid"]);
        var definition = study.Definition;
        if (form["consent"] != "yes" || study.Method.Warning is not null && form["risk"] != "yes")
        {
            context.Response.StatusCode = 400;
            await Show(context, pages.Welcome(external, Csrf(context), "To take part, you must agree first."));
            return;
        }
        var personal = new JsonObject();
        foreach (var (i, name) in definition.AskFor.Index())
            personal[name] = form[$"ask{i}"].ToString() is { Length: <= 200 } text
                ? text
                : throw new RefusedException(400, $"{name} is too long.");
        var token = await sessions.Join(external, personal);
        SetCookie(context, SessionCookie, token, SameSiteMode.Lax);
        await Redirect(context, "/run");
    }

    private void MapTrials()
    {
        var api = app.MapGroup("/api").RequireRateLimiting("session");
        api.MapPost("/next", async context =>
            await context.Response.WriteAsJsonAsync(await sessions.Next(Known(context))));
        api.MapPost("/prepare", async context =>
        {
            var person = Known(context);
            var profile = await context.Request.ReadFromJsonAsync<Profile>(Strict) ?? throw new JsonException();
            if (!profile.IsSound)
                throw new JsonException();
            var data = (JsonObject)JsonSerializer.SerializeToNode(profile, JsonSerializerOptions.Web)!;
            await sessions.Prepare(person, data);
            await context.Response.WriteAsJsonAsync(new { ok = true });
        });
        api.MapPost("/answer", async context =>
        {
            var person = Known(context);
            var given = await context.Request.ReadFromJsonAsync<Submission>(Strict) ?? throw new JsonException();
            await context.Response.WriteAsJsonAsync(new { right = await sessions.Answer(person, given) });
        });
        app.MapGet("/image/{id}", async context =>
        {
            var name = sessions.Image(Known(context), (string)context.Request.RouteValues["id"]!)
                ?? throw new RefusedException(404, "There is nothing here.");
            context.Response.ContentType = "image/png";
            context.Response.Headers.CacheControl = "private, max-age=3600";
            await context.Response.SendFileAsync(study.ImagePath(name));
        }).RequireRateLimiting("session");
    }

    private static readonly JsonSerializerOptions Strict = new(JsonSerializerDefaults.Web)
    {
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        NumberHandling = JsonNumberHandling.Strict,
    };

    private void MapOwner()
    {
        app.MapGet("/owner", async context => await Show(context, IsOwner(context)
            ? await OwnerPage.Dashboard(pages, root, study, scale, Csrf(context))
            : pages.Login(Csrf(context), null)));
        app.MapPost("/owner/login", async context =>
        {
            var token = (await context.Request.ReadFormAsync())["token"].ToString().Trim();
            if (IsOwner(token))
            {
                SetCookie(context, OwnerCookie, token, SameSiteMode.Strict);
                await Redirect(context, "/owner");
                return;
            }
            context.Response.StatusCode = 403;
            await Show(context, pages.Login(Csrf(context), "This is not the token of this study."));
        }).RequireRateLimiting("secrets");
        app.MapPost("/owner/erase", async context =>
        {
            if (!IsOwner(context))
                throw new RefusedException(403, "Log in first.");
            var form = await context.Request.ReadFormAsync();
            if (!long.TryParse(form["participant"], out var participant) || !await sessions.Erase(participant))
                throw new RefusedException(404, "There is no such person.");
            await Redirect(context, "/owner");
        }).RequireRateLimiting("people");
    }

    private bool IsOwner(HttpContext context) => IsOwner(context.Request.Cookies[OwnerCookie]);

    private bool IsOwner(string? token) =>
        token is { Length: 32 } && CryptographicOperations.FixedTimeEquals(Sessions.Hash(token), ownerHash);

    private long? Person(HttpContext context) => sessions.Find(context.Request.Cookies[SessionCookie]);

    private long Known(HttpContext context) =>
        Person(context) ?? throw new RefusedException(403, "This browser is not taking part.");

    private static string? External(string? text) => string.IsNullOrWhiteSpace(text) ? null
        : text.Length <= 200 ? text : throw new RefusedException(400, "This link is not that of a participant.");

    private static string Csrf(HttpContext context) =>
        context.RequestServices.GetRequiredService<IAntiforgery>().GetAndStoreTokens(context).RequestToken!;

    private void SetCookie(HttpContext context, string name, string value, SameSiteMode sameSite) =>
        context.Response.Cookies.Append(name, value, new()
        {
            HttpOnly = true,
            SameSite = sameSite,
            Secure = context.Request.IsHttps,
            Path = root.Length > 0 ? root : "/",
            MaxAge = TimeSpan.FromDays(30),
        });

    private Task Redirect(HttpContext context, string path)
    {
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = root + path;
        return Task.CompletedTask;
    }

    private static Task Show(HttpContext context, Html page)
    {
        context.Response.ContentType = "text/html; charset=utf-8";
        return context.Response.WriteAsync(page.ToString());
    }

    private static Dictionary<string, byte[]> ReadWeb()
    {
        var assembly = typeof(Server).Assembly;
        return assembly.GetManifestResourceNames().Where(name => name.StartsWith("web/", StringComparison.Ordinal))
            .ToDictionary(name => name["web/".Length..].Replace('\\', '/'), name =>
            {
                using var stream = assembly.GetManifestResourceStream(name)!;
                var bytes = new byte[stream.Length];
                stream.ReadExactly(bytes);
                return bytes;
            });
    }
}
