using System;
using System.IO;
using System.Linq;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Erp
{
    /// <summary>
    /// What the ERP does with an outcome (docs/outcomes.md). Being given one twice does no harm: job and run name it.
    /// </summary>
    internal static class Outcome
    {
        private static readonly string Folder = Server.Setting("EVIDENCE_DIR", "evidence");

        /// <summary>Saves the evidence and does what the status asks for; here that is a line.</summary>
        /// <exception cref="InvalidDataException">The evidence is damaged, or the status is none that is known.</exception>
        /// <exception cref="IOException">The evidence cannot be saved.</exception>
        public static void Handle(string text)
        {
            using (JsonDocument document = JsonDocument.Parse(text))
            {
                JsonElement outcome = document.RootElement;
                string again = outcome.GetProperty("replayed").GetBoolean() ? " (replayed)" : "";
                string references = string.Join(", ", outcome.GetProperty("references").EnumerateArray().Select(one => one.GetString()));
                Console.WriteLine($"{Text(outcome, "status")} ({Text(outcome, "reason")}){again} {Text(outcome, "job")} " +
                                  $"run {Text(outcome, "run")} [{references}]: {WhatToDo(outcome)}");
                foreach (JsonElement warning in outcome.GetProperty("warnings").EnumerateArray())
                {
                    Console.WriteLine("  warning: " + warning.GetString());
                }
            }
        }

        private static string WhatToDo(JsonElement outcome)
        {
            bool hasEvidence = outcome.GetProperty("evidence").ValueKind == JsonValueKind.Object;
            string file = hasEvidence ? Saved(outcome) : "none";
            string said = (Text(outcome, "code") + " " + outcome.GetProperty("message").GetString()).Trim();
            switch (Text(outcome, "status"))
            {
                case "cancelled":
                    return "book the cancellation; evidence: " + file;
                case "rejected":
                    return Text(outcome, "reason") == "invalid-request" ? ToCorrect(outcome) : "not cancelled: " + said;
                case "unresolved":
                    return "a person has to look: " + said;
                case "revoked":
                    return "an operator has ended it";
                default:
                    throw new InvalidDataException("unknown status " + Text(outcome, "status"));
            }
        }

        private static string ToCorrect(JsonElement outcome)
        {
            var errors = outcome.GetProperty("errors").EnumerateArray().Select(one => Text(one, "field") + ": " + Text(one, "problem"));
            return $"correct what was handed in as {Text(outcome, "submission")}: {string.Join("; ", errors)}";
        }

        /// <summary>The evidence as the provider sent it, byte for byte, in a file of its own.</summary>
        private static string Saved(JsonElement outcome)
        {
            JsonElement evidence = outcome.GetProperty("evidence");
            string content = Text(evidence, "content");
            byte[] original = Text(evidence, "encoding") == "base64" ? Convert.FromBase64String(content) : Encoding.UTF8.GetBytes(content);
            if (Sha256(original) != Text(evidence, "sha256"))
            {
                throw new InvalidDataException("the evidence does not have its sha256");
            }
            Directory.CreateDirectory(Folder);
            string file = Path.Combine(Folder, $"{Text(outcome, "document")}-run-{Text(outcome, "run")}.xml");
            File.WriteAllBytes(file, original);
            return file;
        }

        private static string Sha256(byte[] bytes)
        {
            using (SHA256 algorithm = SHA256.Create())
            {
                return string.Concat(algorithm.ComputeHash(bytes).Select(one => one.ToString("x2")));
            }
        }

        /// <summary>A value as text; "-" for null.</summary>
        private static string Text(JsonElement element, string field)
        {
            JsonElement value = element.GetProperty(field);
            return value.ValueKind == JsonValueKind.Null ? "-" : value.ToString();
        }
    }
}
