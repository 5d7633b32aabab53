using System;
using System.Linq;
using System.Text;
using System.Threading.Tasks;

namespace Erp
{
    /// <summary>The two programs: `submit` hands in one cancellation, `outcomes` reads what has become of them.</summary>
    public static class Program
    {
        private const string Usage =
            "usage: dotnet run -- submit stream|queue UUID [REFERENCE]                 a CFDI at Solución Factible\n" +
            "       dotnet run -- submit stream|queue CHBPE NPROT XJUST [REFERENCE]    a BP-e at NS\n" +
            "       dotnet run -- outcomes since FILE                       on from the id in FILE, which is kept up to date\n" +
            "       dotnet run -- outcomes group GROUP CONSUMER [SECONDS]   share; take over what another left for so long (60)\n" +
            "       dotnet run -- outcomes channel                          what is published from now on\n";

        public static async Task<int> Main(string[] arguments)
        {
            Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
            string[] rest = arguments.Skip(1).ToArray();
            switch (arguments.FirstOrDefault())
            {
                case "submit":
                    return await Submit.Run(rest) ?? WrongUsage();
                case "outcomes":
                    return await Outcomes.Run(rest) ?? WrongUsage();
                default:
                    return WrongUsage();
            }
        }

        private static int WrongUsage()
        {
            Console.Error.Write(Usage);
            return 2;
        }
    }
}
